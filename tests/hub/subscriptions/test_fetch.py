"""One download against a real web server, however that behaves."""

import gzip
import io
import threading
import time
import zipfile
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from namewarden.hub.subscriptions.errors import DownloadError
from namewarden.hub.subscriptions.fetch import HOPS, Web, fetch
from namewarden.hub.subscriptions.store import Asked
from tests.hub.subscriptions.web import authority, gives, leads, site

TEXT = b"# a list\nbad.example.net\nworse.example.net\n"
BOMB = 10_000_000


async def loopback(name):
    return ("127.0.0.1",)


def web(size=1 << 20, seconds=10.0, silence=5.0):
    return Web(loopback, size, seconds, "namewarden/9", silence)


def asked(url, **more):
    return Asked(url, True, **more)


async def taken(asked, part, told=lambda came, of: None):
    found = await fetch(web(), asked, part, told)
    assert found is not None
    return found


@pytest.fixture
def part(tmp_path):
    return tmp_path / "part"


async def test_a_list_comes_with_what_its_server_wants_to_hear_again(part):
    came = []
    page = gives(TEXT, ETag='W/"1"', Last_Modified="Thu, 26 Nov 2026 08:00:00 GMT")
    with site({"/list": page}) as server:
        found = await taken(asked(server.url()), part, lambda *said: came.append(said))
        (path, sent) = server.seen[0]
    assert part.read_bytes() == TEXT and found.size == len(TEXT)
    assert (found.etag, found.modified) == ('W/"1"', "Thu, 26 Nov 2026 08:00:00 GMT")
    assert came[-1] == (len(TEXT), len(TEXT))
    assert sent["user-agent"] == "namewarden/9" and sent["accept-encoding"] == "gzip"
    assert sent["host"] == f"127.0.0.1:{server.port}" and "authorization" not in sent


async def test_what_is_here_already_is_not_sent_again(part):
    with site({"/list": lambda visit: visit.send(b"", 304)}) as server:
        known = asked(server.url(), etag='"7"', modified="Thu, 26 Nov 2026 08:00:00 GMT")
        assert await fetch(web(), known, part) is None
        _, sent = server.seen[0]
    assert (sent["if-none-match"], sent["if-modified-since"]) == ('"7"', known.modified)
    assert not part.exists()


async def test_unchanged_is_no_answer_to_who_has_nothing(part):
    with site({"/list": lambda visit: visit.send(b"", 304)}) as server:
        with pytest.raises(DownloadError, match="says 304 Not Modified"):
            await fetch(web(), asked(server.url()), part)


async def test_what_came_again_is_known_by_its_digest(part, tmp_path):
    with site({"/list": gives(TEXT)}) as server:
        first = await taken(asked(server.url()), part)
        again = await taken(asked(server.url(), digest=first.digest), tmp_path / "again")
    assert again.digest == first.digest


def zipped(text):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("hosts", text)
    return out.getvalue()


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (gzip.compress(TEXT), {"Content_Encoding": "gzip"}),
        (gzip.compress(TEXT), {"Content_Type": "application/gzip"}),
        (gzip.compress(gzip.compress(TEXT)), {"Content_Encoding": "x-gzip"}),
        (zipped(TEXT), {}),
        (gzip.compress(zipped(TEXT)), {"Content_Encoding": "gzip"}),
        (TEXT, {"Content_Encoding": "identity", "Content_Type": "text/html"}),
    ],
    ids=["encoded", "file", "both", "zip", "encoded zip", "plain"],
)  # fmt: skip
async def test_however_it_is_packed(part, body, headers):
    with site({"/list": gives(body, **headers)}) as server:
        found = await taken(asked(server.url()), part)
    assert part.read_bytes() == TEXT and found.size == len(TEXT)
    assert list(part.parent.iterdir()) == [part]


def bomb(pack):
    return pack(b"0" * BOMB)


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (gives(b"<!DOCTYPE html><title>Maintenance</title>"), "what came is a web page, not a list"),
        (gives(b"\xef\xbb\xbf\r\n<!-- a --> <!--\nb -->\n<HTML lang=en>x.example.net"), "web page"),
        (gives(b""), "what came is empty"),
        (gives(b"\x7fELF\0\0\0\0"), "what came is binary"),
        (gives(gzip.compress(b"<html>"), Content_Encoding="gzip"), "web page"),
        (gives(gzip.compress(TEXT)[:-3], Content_Encoding="gzip"), "middle of its gzip"),
        (gives(TEXT, Content_Encoding="gzip"), "no gzip, or damaged"),
        (gives(TEXT, Content_Encoding="br"), "'br', which was not asked for"),
        (gives(b"x.example.net\n" * 100_000), "too large: 1400000 octets, at most 1048576"),
        (lambda visit: visit.send(b"x.example.net\n" * 100_000, length=-1), "too large: at most 1048576"),
        (lambda visit: visit.send(TEXT, length=1000), "without sending complete message body"),
        (lambda visit: visit.send(b"", 500), "says 500 Internal Server Error"),
        (lambda visit: visit.send(TEXT, 206), "says 206"),
        (lambda visit: visit.send(b"", 799), "says 799"),
        (lambda visit: visit.wfile.write(b"\0nonsense\n" * 50), "illegal request line"),
        (lambda visit: visit.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000), "Receive buffer too long"),
        (lambda visit: visit.connection.close(), "."),
        (gives(bomb(gzip.compress), Content_Encoding="gzip"), "too large when unpacked"),
        (gives(bomb(gzip.compress)), "too large when unpacked"),
        (gives(bomb(zipped)), "too large when unpacked"),
    ],
)  # fmt: skip
async def test_what_is_no_list_says_why(part, page, words):
    with site({"/list": page}) as server:
        with pytest.raises(DownloadError, match=words):
            await fetch(web(), asked(server.url()), part)


async def test_one_that_is_slow_or_never_ends_is_given_up(part):
    done = threading.Event()

    def drips(visit):
        visit.send(b"", length=1000)
        while not done.wait(0.02):
            visit.wfile.write(b"#")

    def hangs(visit):
        visit.send(b"#", length=1000)
        done.wait(10)

    with site({"/drips": drips, "/hangs": hangs, "/mute": lambda visit: done.wait(10)}) as server:
        for path, words in (
            ("/drips", "longer than 0.3 s"),
            ("/hangs", "silent for 0.1 s"),
            ("/mute", "silent for 0.1 s"),
        ):
            began = time.monotonic()
            with pytest.raises(DownloadError, match=words):
                await fetch(web(seconds=0.3, silence=0.1), asked(server.url(path)), part)
            assert time.monotonic() - began < 1
            part.unlink(missing_ok=True)
        done.set()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed(part, status):
    with site({"/a": leads("/b?x=1", status), "/b": leads("list", status)}) as server:
        server.pages["/list"] = gives(TEXT)
        await fetch(web(), asked(server.url("/a")), part)
        assert [path for path, _ in server.seen] == ["/a", "/b?x=1", "/list"]


@pytest.mark.parametrize(
    "location", ["/list", "ftp://127.0.0.1/", "", "http://[", "http://x y/", "file:///etc/passwd"]
)
async def test_redirects_end(part, location):
    with site({"/list": leads(location)}) as server:
        with pytest.raises(DownloadError):
            await fetch(web(), asked(server.url()), part)
        assert len(server.seen) <= HOPS + 1


@pytest.mark.parametrize(
    ("location", "words"),
    [
        (b"/" + b"a" * 60_000, r"/a{150,200} says 404 Not Found$"),
        (b"/\x1b[31m\x07\xc2\x9b2J", r"/\\x1b\[31m\\x07\\x9b2J says 404 Not Found$"),
        (b"x:\x1b[31m" + b"a" * 90_000, r"is no http:// or https:// URL$"),
    ],
)
async def test_what_a_server_wrote_is_cut_and_moves_no_cursor(part, location, words):
    head = b"HTTP/1.1 302 x\r\nContent-Length: 0\r\nLocation: "
    with site({"/list": lambda visit: visit.wfile.write(head + location + b"\r\n\r\n")}) as server:
        with pytest.raises(DownloadError, match=words) as problem:
            await fetch(web(), asked(server.url()), part)
    assert str(problem.value).isprintable() and len(str(problem.value)) <= 303


@pytest.mark.parametrize(
    ("said", "after"),
    [
        ("3600", 3600.0), ("9" * 50, 999999999.0), ("-1", 0.0), ("soon", 0.0), ("\xb2", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("Fri, 31 Feb 2040 07:28:00 GMT", 0.0),
    ],
)  # fmt: skip
async def test_when_a_server_wants_to_be_asked_again(part, said, after):
    with site({"/list": lambda visit: visit.send(b"", 429, Retry_After=said)}) as server:
        with pytest.raises(DownloadError, match="says 429") as problem:
            await fetch(web(), asked(server.url()), part)
    assert problem.value.after == after
    later = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    with site({"/list": lambda visit: visit.send(b"", 503, Retry_After=later)}) as server:
        with pytest.raises(DownloadError, match="says 503") as problem:
            await fetch(web(), asked(server.url()), part)
    assert 3500 < problem.value.after <= 3600


async def test_each_hop_is_checked(part):
    """A public server that leads to this machine leads nowhere."""

    async def lookup(name):
        return ("127.0.0.1",)

    with site({"/list": gives(TEXT)}) as inner:
        url = inner.url(host="inner.example.org")
        with pytest.raises(
            DownloadError, match="inner.example.org is 127.0.0.1, an address of no public server"
        ):
            await fetch(Web(lookup, 1 << 20, 5.0), Asked(url), part)
        assert not inner.seen


async def test_a_password_goes_to_its_server_alone_and_into_no_words(part):
    with site({"/list": gives(TEXT)}) as other, site() as server:
        server.pages["/list"] = leads("/there")
        server.pages["/there"] = leads(other.url())
        await fetch(web(), asked(server.url(user="me:s%40cret@")), part)
        assert [sent.get("authorization") for _, sent in server.seen] == ["Basic bWU6c0BjcmV0"] * 2
        assert [sent.get("authorization") for _, sent in other.seen] == [None]
        part.unlink()
        with pytest.raises(DownloadError) as found:
            await fetch(web(), asked(server.url("/gone?token=s3cret", user="me:s3cret@")), part)
    assert "says 404 Not Found" in str(found.value) and "s3cret" not in str(found.value)


async def test_tls_is_verified_for_the_name_though_an_address_is_connected_to(
    part, tmp_path, monkeypatch
):
    trust = authority(tmp_path / "trust")
    with site({"/list": gives(TEXT), "/down": leads("HTTP://x.example.org/")}, trust) as server:
        with pytest.raises(DownloadError, match="certificate"):
            await fetch(web(), asked(server.url(host="lists.example.org")), part)
        monkeypatch.setenv("SSL_CERT_FILE", str(trust / "ca.pem"))
        await fetch(web(), asked(server.url(host="lists.example.org")), part)
        part.unlink()
        with pytest.raises(DownloadError, match="certificate"):
            await fetch(web(), asked(server.url(host="other.example.org")), part)
        with pytest.raises(DownloadError, match="redirected from https to http://x.example.org/"):
            await fetch(web(), asked(server.url("/down", host="lists.example.org")), part)


async def test_a_server_whose_name_has_other_letters(part):
    names = []

    async def lookup(name):
        names.append(name)
        return ("127.0.0.1",)

    with site({"/l%C3%AFst": gives(TEXT)}) as server:
        url = server.url("/lïst", host="Bücher.example.org")
        await fetch(Web(lookup, 1 << 20, 5.0), asked(url), part)
        assert server.seen[0][1]["host"] == f"xn--bcher-kva.example.org:{server.port}"
    assert names == ["xn--bcher-kva.example.org."]


def test_a_bomb_is_one():
    assert len(zlib.compress(bytes(BOMB))) < 20_000
