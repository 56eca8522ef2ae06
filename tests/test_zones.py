"""Zones of one's own in the whole product, with dnsmasq as the router and NSD as a company's server."""

import json
from contextlib import ExitStack

import httpx
import pytest
from typer.testing import CliRunner

from namewarden.cli import app
from tests import servers
from tests.product import data, product, rcode

GENERATED = "hkbdqjynugpghonpbh.com"  # the model blocks it
CORP = """
$ORIGIN corp.example.org.
$TTL 300
@ SOA ns host 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
www A 192.0.2.77
cloud CNAME mail.example.org.
gone CNAME lost.example.org.
inner CNAME nas.lan.
leaked CNAME pc.local.
"""
SETTINGS = """
[rebinding]
mode = "block"

[local]
records = ["own.lan. A 192.168.1.44"]
search = ["corp.example.net"]

[[groups]]
name = "kids"
clients = ["127.0.0.2/32"]

[[lists]]
name = "ours"
source = "{folder}/ours.txt"

[[zones]]
names = ["lan", "office.local", "168.192.in-addr.arpa", "corp.example.org", "{generated}"]
servers = ["udp://127.0.0.1:{closed}", "{router}"]

[[zones]]
names = ["corp.example.org"]
servers = ["{company}"]
groups = ["kids"]

[[zones]]
names = ["dead.example.org"]
servers = ["udp://127.0.0.1:{closed}"]
"""
HOSTS = {
    "nas.lan": "192.168.1.5", "bad.lan": "192.168.1.66", "pc.office.local": "192.168.1.7",
    "www.corp.example.org": "192.168.1.8", GENERATED: "192.168.1.9",
}  # fmt: skip


@pytest.fixture(scope="module")
def routed(tmp_path_factory, world):
    folder = tmp_path_factory.mktemp("zones")
    (folder / "ours.txt").write_text("bad.lan\n")
    with ExitStack() as stack:
        router = stack.enter_context(servers.router(folder / "router", HOSTS))
        company = stack.enter_context(servers.nsd(folder / "nsd", {"corp.example.org.": CORP}))
        said = SETTINGS.format(
            folder=folder, router=router.url, company=company.url, generated=GENERATED,
            closed=servers.free_port(),
        )  # fmt: skip
        started = stack.enter_context(product(folder / "p", world, said))
        yield started, router, company


@pytest.fixture(scope="module")
def running(routed):
    return routed[0]


@pytest.fixture(scope="module")
def router(routed):
    return routed[1]


@pytest.fixture(scope="module")
def company(routed):
    return routed[2]


@pytest.fixture(scope="module")
def hub(running):
    with running.api() as client:
        yield client


@pytest.mark.parametrize(
    ("name", "kind", "answer"),
    [
        ("nas.lan", "A", ["192.168.1.5"]),
        ("pc.office.local", "A", ["192.168.1.7"]),
        ("5.1.168.192.in-addr.arpa", "PTR", ["nas.lan."]),
        (GENERATED, "A", ["192.168.1.9"]),
    ],
)
def test_names_of_a_zone_are_asked_of_its_servers_and_not_scored(
    running, router, name, kind, answer
):
    assert data(running.ask(name, kind)) == answer
    found = running.event(f"{name}.", status="FORWARDED")
    assert found["upstream"] == f"127.0.0.1:{router.port}"
    assert (found["reason"], found["score"]) == ("unscored", None)
    assert found["rule"].startswith("zone:")


def test_what_is_in_no_zone_is_answered_as_ever(running):
    assert data(running.ask("www.example.org")) == ["192.0.2.20"]
    assert rcode(running.ask("1.1.10.in-addr.arpa", "PTR")) == "NXDOMAIN"
    assert rcode(running.ask("pc.local")) == "NXDOMAIN"
    assert running.event("pc.local.")["status"] == "LOCAL"


def test_what_a_zone_does_not_have_is_its_servers_word(running):
    assert rcode(running.ask("gone.lan")) == "NXDOMAIN"
    found = running.event("gone.lan.")
    assert (found["status"], found["rcode"]) == ("FORWARDED", "NXDOMAIN")


def test_lists_and_rules_judge_names_of_zones(running, hub):
    assert data(running.ask("bad.lan")) == ["0.0.0.0"]
    assert running.event("bad.lan.")["reason"] == "list_deny"
    assert hub.put("/decisions/nas.lan", json={"verdict": "malicious"}).status_code == 200
    running.until(lambda: data(running.ask("nas.lan")) == ["0.0.0.0"])
    assert hub.delete("/decisions/nas.lan").status_code == 200
    running.until(lambda: data(running.ask("nas.lan")) == ["192.168.1.5"])


@pytest.mark.parametrize(
    "name", ["mask.icloud.com", "use-application-dns.net", "www.google.com.corp.example.net"]
)
def test_who_allows_what_is_answered_here_has_it_asked(running, hub, name):
    assert rcode(running.ask(name)) == "NXDOMAIN"
    assert hub.put(f"/decisions/{name}", json={"verdict": "benign"}).status_code == 200
    running.until(lambda: rcode(running.ask(name)) == "NOERROR")
    assert running.event(f"{name}.", status="FORWARDED")["reason"] == "rule_allow"


@pytest.mark.parametrize(
    ("name", "words"), [("localhost", "RFC 6761"), ("foo.onion", "RFC 7686"), ("own.lan", "local.records")]
)  # fmt: skip
def test_who_allows_what_never_leaves_hears_why_not(hub, name, words):
    said = hub.put(f"/decisions/{name}", json={"verdict": "benign"})
    assert said.status_code == 422 and words in said.json()["detail"]
    assert hub.get(f"/decisions/{name}").status_code == 404


def test_the_command_says_why_too(running):
    done = running.command("allow", "localhost", *running.where)
    assert done.returncode == 1 and "localhost is this machine" in done.stderr


def test_groups_see_a_name_differently_however_often_they_ask(running, company):
    for _ in range(4):
        assert data(running.ask("www.corp.example.org")) == ["192.168.1.8"]
        assert data(running.ask("www.corp.example.org", source="127.0.0.2")) == ["192.0.2.77"]
        assert rcode(running.ask("gone.corp.example.org", source="127.0.0.2")) == "NXDOMAIN"
    kids = running.event("www.corp.example.org.", client="127.0.0.2")
    assert kids["upstream"] == f"127.0.0.1:{company.port}"


@pytest.mark.parametrize(
    ("name", "status", "answer"),
    [("cloud", "NOERROR", ["192.0.2.11", "mail.example.org."]), ("gone", "NXDOMAIN", ["lost.example.org."]),
     ("inner", "NOERROR", ["192.168.1.5", "nas.lan."]), ("leaked", "NXDOMAIN", ["pc.local."])],
)  # fmt: skip
def test_an_alias_that_leads_out_of_a_zone_is_followed(running, name, status, answer):
    for _ in range(3):
        reply = running.ask(f"{name}.corp.example.org", source="127.0.0.2")
        assert (rcode(reply), data(reply)) == (status, answer)


def test_where_no_server_of_a_zone_answers_nobody_else_is_asked(running):
    reply = running.ask("www.dead.example.org")
    assert (rcode(reply), [option.code for option in reply.options]) == ("SERVFAIL", [23])
    found = running.event("www.dead.example.org.")
    assert (found["status"], found["reason"]) == ("FAILED", "upstream")


def test_the_servers_of_zones_are_watched_like_others(hub, router, company):
    told = hub.get("/status").json()["upstreams"]
    assert {router.url[6:], company.url[6:]} < {each["server"] for each in told}


def test_the_verdict_api_does_not_score_them_either(running):
    body = {"queries": [{"name": GENERATED, "client": "127.0.0.1"}]}
    transport = httpx.HTTPTransport(uds=str(running.folder / "var" / "verdict.sock"))
    with httpx.Client(transport=transport, base_url="http://localhost") as client:
        (said,) = client.post("/api/v1/verdicts", json=body).json()["verdicts"]
    assert (said["action"], said["reason"], said["score"]) == ("allow", "unscored", None)


def explained(running, *args):
    """In this process: a command of its own takes a second longer."""
    return CliRunner().invoke(app, ["explain", *args, *running.where]).stdout


@pytest.mark.parametrize(
    ("name", "client", "zone"),
    [("bad.lan", "127.0.0.1", "lan"), ("own.lan", "127.0.0.1", ""),
     ("www.corp.example.org", "127.0.0.2", "corp.example.org")],
)  # fmt: skip
def test_explain_says_which_zone_a_name_is_in(routed, name, client, zone):
    running, router, company = routed
    told = json.loads(explained(running, name, "--client", client, "--format", "json"))
    asked = company if client == "127.0.0.2" else router
    assert told["zone"] == zone
    assert not zone or asked.url in told["servers"]


def test_explain_says_so_to_people_too(running, router):
    text = explained(running, "nas.lan")
    assert "zone       lan\n" in text and f"{router.url}\n" in text


def test_another_zone_comes_into_force_by_a_reload_and_no_query_is_lost(running):
    from tests.faults.test_reload import Asking, change, hang_up

    assert data(running.ask("new.example.net")) == ["192.0.2.1"]
    change(running, '"office.local", ', '"office.local", "new.example.net", ')
    with Asking(running.port) as asking:
        hang_up(running)
        running.wait_for("the configuration is reloaded")
        running.until(lambda: rcode(running.ask("new.example.net")) == "NXDOMAIN")
    assert len(asking.sent) > 5 and not asking.lost


def test_private_addresses_are_for_names_of_ones_own_zones_alone(running):
    assert data(running.ask("www.corp.example.org")) == ["192.168.1.8"]
    for _ in range(3):  # the last from the packet cache
        reply = running.ask("inside.example.org")
        assert (rcode(reply), data(reply)) == ("NOERROR", [])
        (ede,) = reply.extended_errors()
        assert (ede.code, ede.text) == (15, "rebinding 192.168.1.77 in 192.168.0.0/16")
    found = running.event("inside.example.org")
    assert (found["action"], found["reason"], found["status"]) == ("block", "rebinding", "BLOCKED")
