"""Lists by URL, from a web server to a blocked name: the product as real processes."""

import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.hub.subscriptions.web import Site, Visit, gives, site, versioned
from tests.product import Product, data, product
from tests.servers import Server, nsd

ZONE = """
$ORIGIN example.org.
$TTL 300
@ IN SOA ns hostmaster 1 3600 600 86400 60
@ IN NS ns
ns IN A 127.0.0.1
lists IN A 127.0.0.1
inner IN A 127.0.0.1
* IN A 192.0.2.1
"""
# As HaGeZi's and OISD's lists begin.
ADBLOCK = (
    b"[Adblock Plus]\n! Title: ads\n! Expires: 1 day\n||ads.example.org^\n||track.example.org^\n"
)
DOMAINS = b"# Title: small\n# Syntax: Domains\nbig.example.org\nsmall.example.org\n"


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with nsd(tmp_path_factory.mktemp("nsd"), {"example.org.": ZONE}) as server:
        yield server


def entry(name: str, url: str, more: str = "allow_private = true") -> str:
    return f'[[lists]]\nname = "{name}"\nsource = "{url}"\n{more}\n'


def lists(running: Product) -> dict[str, dict[str, Any]]:
    with running.api() as client:
        found = client.get("/lists").json()["lists"]
    return {each["name"]: each for each in found}


def refreshed(running: Product, name: str, wait: float = 20.0) -> dict[str, Any]:
    """How it goes."""
    with running.api() as client:
        found = client.post("/lists/refresh", json={"lists": [name], "wait": wait}).json()
    going: dict[str, Any] = found["lists"][0]["subscription"]
    return going


def get(running: Product, path: str) -> str:
    with running.api() as client:
        return client.get(path).text


def answered(running: Product, name: str) -> list[str]:
    return data(running.ask(f"{name}.example.org"))


COPIES = {"ads.list", "ads.json", "oisd.list", "oisd.json"}
BLOCKED, OPEN = ["0.0.0.0"], ["192.0.2.1"]


def test_lists_by_url_are_in_force_from_the_first_answer_on_and_followed(
    tmp_path: Path, upstream: Server
) -> None:
    small = [DOMAINS]
    with site({"/big.txt": versioned([ADBLOCK]), "/small.txt": versioned(small)}) as server:
        more = entry("hagezi", server.url("/big.txt", host="lists.example.org"))
        more += entry("inner", server.url("/inner.txt", host="inner.example.org"), "")
        more += entry("oisd", server.url("/small.txt", host="lists.example.org", user="me:s3cret@"))
        with product(tmp_path, upstream, more) as running:
            assert [answered(running, n) for n in ("x.ads", "small", "other")] == [BLOCKED] * 2 + [
                OPEN
            ]
            _refuses_a_private_server(running, server)
            _is_refreshed(running, server, small)
            _fails_and_recovers(running, server, small)
            _takes_sighup(running, server, small)
            assert "s3cret" not in running.text() + get(running, "/lists") + get(running, "/status")


def _refuses_a_private_server(running: Product, server: Site) -> None:
    """Unless the list says so; nobody is kept from starting."""
    running.wait_for(
        "list 'inner' cannot be downloaded: inner.example.org is 127.0.0.1, an address of no public server; "
        "a list that says allow_private = true may come from there; none of it is in force"
    )
    assert "cannot be read" not in running.text()
    assert lists(running)["inner"]["stale"] is False
    assert "/inner.txt" not in [path for path, _ in server.seen]


def _is_refreshed(running: Product, server: Site, small: list[bytes]) -> None:
    done = running.command("lists", "refresh", "oisd", "hagezi", *running.where)
    assert done.stdout.splitlines() == ["oisd: unchanged, 67 bytes", "hagezi: unchanged, 85 bytes"]
    small.append(b"other.example.org\n")
    _shows_a_bar(running, server)
    assert [answered(running, n) for n in ("ads", "small", "other")] == [BLOCKED, OPEN, BLOCKED]


def _shows_a_bar(running: Product, server: Site) -> None:
    """To who waits at a terminal; results stay clean."""
    page = server.pages["/small.txt"]

    def slowly(visit: Visit) -> None:
        time.sleep(1.0)
        page(visit)

    server.pages["/small.txt"] = slowly
    terminal, theirs = pty.openpty()
    seen = bytearray()
    reader = threading.Thread(target=read_all, args=(terminal, seen))
    reader.start()
    command = [sys.executable, "-m", "namewarden", "lists", "refresh", "oisd", *running.where]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=theirs, cwd=running.folder,
        env=running.environ | {"TERM": "xterm", "COLUMNS": "80"},
    ) as done:  # fmt: skip
        os.close(theirs)
        out, _ = done.communicate(timeout=60)
    reader.join(10)
    os.close(terminal)
    server.pages["/small.txt"] = page
    assert (out, done.returncode) == (b"oisd: changed, 18 bytes\n", 0)
    assert b"oisd" in seen and b"bytes" in seen


def read_all(terminal: int, seen: bytearray) -> None:
    with suppress(OSError):  # the other end is closed
        while more := os.read(terminal, 4096):
            seen += more


def _fails_and_recovers(running: Product, server: Site, small: list[bytes]) -> None:
    good = server.pages["/small.txt"]
    server.pages["/small.txt"] = gives(b"<!doctype html><p>Closed</p>")
    done = running.command("lists", "refresh", "oisd", *running.where)
    why = "cannot be downloaded: what came is a web page, not a list"
    assert f"oisd: {why}; the copy of " in done.stdout and done.returncode == 1
    running.wait_for(f"list 'oisd' {why}; its last good copy stays in force")
    shown = lists(running)["oisd"]
    assert (shown["error"], shown["stale"], shown["rules"]) == (why, True, 1)
    assert shown["url"].startswith("http://***@lists.example.org:")
    assert "a list could not be downloaded" in get(running, "/ready")
    assert "namewarden_lists_failed 2.0" in get(running, "/metrics")
    assert f"list 'oisd' {why}" in get(running, "/status")
    assert answered(running, "other") == BLOCKED
    server.pages["/small.txt"] = good
    assert refreshed(running, "oisd")["outcome"] == "unchanged"
    running.wait_for("list 'oisd' can be downloaded again")
    assert lists(running)["oisd"]["error"] == ""


def _takes_sighup(running: Product, server: Site, small: list[bytes]) -> None:
    """What is newer is taken, and what is no longer wanted goes."""
    small.append(b"new.example.org\n")
    config = running.config.read_text()
    inner = entry("inner", server.url("/inner.txt", host="inner.example.org"), "")
    running.config.write_text(config.replace(inner, "").replace('"hagezi"', '"ads"'))
    assert running.process is not None
    running.process.send_signal(signal.SIGHUP)
    running.wait_for("the configuration is reloaded")
    running.until(lambda: answered(running, "new") == BLOCKED)
    folder = running.folder / "var" / "subscriptions"
    running.until(lambda: {path.name for path in folder.iterdir()} == COPIES)


@contextmanager
def waiting(server: Site, path: str) -> Iterator[threading.Event]:
    """The first half of a list is sent, the rest when the event is set."""
    event = threading.Event()

    def page(visit: Any) -> None:
        visit.send(b"half.example.org\n", length=34)
        event.wait(60)
        visit.wfile.write(b"more.example.org\n")

    server.pages[path] = page
    try:
        yield event
    finally:
        event.set()


def test_a_hub_killed_in_the_middle_of_a_download_leaves_the_copy(
    tmp_path: Path, upstream: Server
) -> None:
    with site({"/list": gives(b"half.example.org\n")}) as server:
        slow = entry("slow", server.url(host="lists.example.org"))
        with product(tmp_path, upstream, slow) as running:
            folder = tmp_path / "var" / "subscriptions"
            running.until((folder / "slow.json").exists)
            before = (folder / "slow.list").stat()
            with waiting(server, "/list"):
                assert refreshed(running, "slow", 0.1)["running"]
                running.until(lambda: bool(list(folder.glob("slow.*.part"))))
                (hub,) = running.pids("hub")
                os.kill(hub, signal.SIGKILL)
                running.until(lambda: running.pids("hub") not in ([], [hub]))
                assert answered(running, "half") == BLOCKED
                assert (folder / "slow.list").stat() == before
            running.until(
                lambda: answered(running, "more") == BLOCKED
            )  # asked for again at its start
            assert not list(folder.glob("*.part"))
