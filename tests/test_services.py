"""Blocked services and safe search in the whole product: children have them, others do not, and a pause lifts them."""

import pytest

from tests import servers
from tests.product import data, product, rcode

KID = "127.0.0.2"
ZONES = {
    **servers.WORLD,
    "com.": """
$ORIGIN com.
$TTL 300
@ SOA ns host 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
* A 192.0.2.1
""",
    "google.com.": """
$ORIGIN google.com.
$TTL 300
@ SOA ns host 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
www A 192.0.2.1
www AAAA 2001:db8::1
www HTTPS 1 . alpn=h3 ipv4hint=192.0.2.1
www TXT "google"
forcesafesearch A 192.0.2.120
forcesafesearch AAAA 2001:db8::120
""",
    "duckduckgo.com.": """
$ORIGIN duckduckgo.com.
$TTL 300
@ SOA ns host 1 3600 600 86400 60
@ NS ns
@ A 192.0.2.2
@ MX 10 mail
@ HTTPS 1 . ipv4hint=192.0.2.2
ns A 127.0.0.1
safe A 192.0.2.121
safe HTTPS 1 . ipv4hint=192.0.2.121
""",
}
SETTINGS = """
[[lists]]
name = "friends"
source = "{folder}/friends.txt"
kind = "allow"

[[groups]]
name = "kids"
clients = ["127.0.0.2/32"]
services = ["youtube", "tiktok"]
safe_search = ["google", "duckduckgo", "youtube"]
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("services")
    (folder / "friends.txt").write_text("||youtube.com^\nwww.google.com\n")
    friends = 'allow = ["127.0.0.0/8"]'
    with servers.nsd(folder / "nsd", ZONES) as world:
        with product(
            folder / "p", world, SETTINGS.format(folder=folder), listeners=friends
        ) as started:
            yield started


def test_a_service_is_blocked_for_the_group_that_asks_for_it_alone(running):
    for _ in range(3):  # prepared, then from the packet cache
        for name in ("www.youtube.com", "v16.tiktokcdn.com"):
            for kind, expected in (("A", ["0.0.0.0"]), ("HTTPS", [])):
                reply = running.ask(name, kind, source=KID)
                assert (rcode(reply), data(reply)) == ("NOERROR", expected)
                (ede,) = reply.extended_errors()
                assert (ede.code, ede.text[:18]) == (17, "list_deny service:")
        assert data(running.ask("www.youtube.com")) == ["192.0.2.1"]
    event = running.event("v16.tiktokcdn.com", client=KID)
    assert (event["action"], event["reason"], event["group"]) == ("block", "list_deny", "kids")
    assert event["rule"].startswith("service:tiktok:")
    assert event["rule"].endswith(" ||tiktokcdn.com^")
    assert running.event("www.youtube.com", client=KID)["rule"].startswith("service:youtube:")


@pytest.mark.parametrize(
    ("name", "kind", "answer"),
    [
        ("www.google.com", "A", ["forcesafesearch.google.com.", "192.0.2.120"]),
        ("www.google.com", "AAAA", ["forcesafesearch.google.com.", "2001:db8::120"]),
        ("www.google.com", "HTTPS", ["forcesafesearch.google.com."]),
        ("www.google.com", "TXT", ['"google"']),
        ("duckduckgo.com", "A", ["safe.duckduckgo.com.", "192.0.2.121"]),
        ("duckduckgo.com", "HTTPS", ["safe.duckduckgo.com.", '1 . ipv4hint="192.0.2.121"']),
        ("duckduckgo.com", "MX", ["10 mail.duckduckgo.com."]),
    ],
)
def test_search_is_safe_by_every_type_that_browsers_ask(running, name, kind, answer):
    for _ in range(3):
        reply = running.ask(name, kind, source=KID)
        assert (rcode(reply), data(reply)) == ("NOERROR", sorted(answer))
        codes = [option.code for option in reply.extended_errors()]
        assert codes == ([17, 4] if answer[0].startswith(("force", "safe")) else [])
    assert "safe" not in " ".join(data(running.ask(name, kind)))


def test_a_safe_answer_is_told_as_such(running):
    running.ask("www.google.com", source=KID)
    event = running.event("www.google.com", client=KID, qtype="A")
    assert (event["action"], event["status"]) == ("redirect", "REDIRECTED")
    assert event["rule"].startswith("safe-search:google:")


def test_it_is_said_which_lists_are_in_force(running):
    with running.api() as hub:
        shown = hub.get("/lists").json()["lists"]
    assert [each["name"] for each in shown if each["source"] == "services"] == [
        "service:tiktok", "service:youtube", "safe-search:duckduckgo", "safe-search:google", "safe-search:youtube",
    ]  # fmt: skip
    assert all(each["rules"] and not each["error"] for each in shown)


def test_the_childrens_group_is_paused_and_goes_on(running):
    def answer():
        return data(running.ask("www.youtube.com", source=KID))

    done = running.command("pause", "1h", "--group", "kids", *running.where)
    assert done.returncode == 0, done.stderr
    running.until(lambda: answer() == ["192.0.2.1"])
    assert data(running.ask("www.google.com", source=KID)) == ["192.0.2.1"]
    done = running.command("resume", "--group", "kids", *running.where)
    assert done.returncode == 0, done.stderr
    running.until(lambda: answer() == ["0.0.0.0"])


def test_a_local_rule_lets_a_service_pass(running):
    done = running.command("allow", "tiktok.com", "--below", *running.where)
    assert done.returncode == 0, done.stderr
    assert data(running.ask("www.tiktok.com", source=KID)) == ["192.0.2.1"]
    assert data(running.ask("v16.tiktokcdn.com", source=KID)) == ["0.0.0.0"]
