"""A Corefile of four lines puts the firewall into a real CoreDNS, in front of a running product."""

import os
import re
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import dns.edns
import dns.exception
import dns.message
import dns.query
import httpx
import pytest

from tests import go, servers
from tests.product import data, product, rcode

SETTINGS = """
[[lists]]
name = "malware"
source = "{folder}/malware.txt"

[[groups]]
name = "honeypot"
clients = ["127.0.0.3/32"]
redirect = ["192.0.2.66", "2001:db8::66"]
"""
COREFILE = """    namewarden unix://{folder}/var/verdict.sock
    forward . {world.host}:{world.port}"""
MALICIOUS = "kwcverionirkutskagl.com"
UNCERTAIN = "hemijujex.info"


@pytest.fixture(scope="module")
def running(tmp_path_factory, world):
    folder = tmp_path_factory.mktemp("nw")
    (folder / "malware.txt").write_text("||bad.example.net^\n||free.example.net^\n")
    with product(folder, world, SETTINGS.format(folder=folder)) as started:
        yield started


@pytest.fixture(scope="module")
def coredns(running, world, tmp_path_factory):
    corefile = COREFILE.format(folder=running.folder, world=world)
    with servers.coredns(tmp_path_factory.mktemp("coredns"), corefile) as started:
        yield started


def ask(server, name, kind="A", source="127.0.0.1", **options):
    query = dns.message.make_query(name, kind, **{"use_edns": 0, "payload": 1232, **options})
    return dns.query.udp(query, server.host, port=server.port, timeout=5, source=source)


def codes(reply):
    return [int(option.code) for option in reply.options if isinstance(option, dns.edns.EDEOption)]


def test_a_benign_name_is_asked_of_the_next_plugin_and_logged(running, coredns, world):
    reply = ask(coredns, "www.example.org")
    assert (rcode(reply), data(reply)) == ("NOERROR", ["192.0.2.20"])
    found = running.event("www.example.org.", source="coredns")
    assert found["client"] == "127.0.0.1" and found["group"] == "default"
    assert (found["status"], found["action"]) == ("FORWARDED", "allow")
    assert found["upstream"] == f"{world.host}:{world.port}"
    assert (found["rcode"], found["addresses"]) == ("NOERROR", ["192.0.2.20"])


def test_a_listed_name_is_answered_here_and_logged(running, coredns):
    reply = ask(coredns, "www.bad.example.net", source="127.0.0.2")
    assert (rcode(reply), data(reply), codes(reply)) == ("NOERROR", ["0.0.0.0"], [15])
    assert reply.answer[0].ttl == 10
    found = running.event("www.bad.example.net.", source="coredns", client="127.0.0.2")
    assert (found["status"], found["action"], found["reason"]) == ("BLOCKED", "block", "list_deny")
    assert found["rule"].startswith("malware:1 ")


def test_the_clients_group_decides_that_a_name_leads_to_the_honeypot(running, coredns):
    assert data(ask(coredns, MALICIOUS)) == ["0.0.0.0"]
    reply = ask(coredns, MALICIOUS, source="127.0.0.3")
    assert (data(reply), codes(reply)) == (["192.0.2.66"], [15, 4])
    assert data(ask(coredns, MALICIOUS, "AAAA", source="127.0.0.3")) == ["2001:db8::66"]
    found = running.event(f"{MALICIOUS}.", client="127.0.0.3", qtype="A")
    assert (found["status"], found["group"]) == ("REDIRECTED", "honeypot")
    assert found["band"] == "malicious" and found["score"] > 0.9


def test_an_uncertain_name_is_answered_and_shown_for_review(running, coredns):
    assert data(ask(coredns, UNCERTAIN)) == ["192.0.2.1"]
    found = running.event(f"{UNCERTAIN}.", source="coredns")
    assert (found["action"], found["status"]) == ("review", "FORWARDED")


def test_where_an_answer_leads_is_judged(running, coredns):
    assert running.command("deny", "target.example.net", *running.where).returncode == 0
    reply = ask(coredns, "away.example.org")
    assert (data(reply), codes(reply)) == (["0.0.0.0"], [15])
    found = running.event("away.example.org.", source="coredns")
    assert (found["status"], found["reason"]) == ("BLOCKED_CNAME", "cname_deny")
    assert found["cnames"] == ["target.example.net."]


def test_allow_frees_a_name_within_two_seconds(running, coredns):
    assert data(ask(coredns, "www.free.example.net")) == ["0.0.0.0"]
    assert running.command("allow", "www.free.example.net", *running.where).returncode == 0
    begun = time.monotonic()
    while data(ask(coredns, "www.free.example.net")) == ["0.0.0.0"]:
        assert time.monotonic() < begun + 2
        time.sleep(0.02)
    assert running.event("www.free.example.net.", action="allow")["reason"] == "rule_allow"


@pytest.mark.parametrize(
    "name",
    [
        r"a\032b\.c\"d.bad.example.net.",
        r"\000\255.bad.example.net.",
        "x" * 63 + ".bad.example.net.",
    ],
)
def test_a_name_of_any_octets_is_judged(coredns, name):
    assert data(ask(coredns, name)) == ["0.0.0.0"]


def test_a_name_without_labels_is_asked_on(coredns):
    assert rcode(ask(coredns, ".", "NS")) == "NOERROR"


def hub_of(running):
    transport = httpx.HTTPTransport(uds=str(running.folder / "var" / "hub.sock"))
    return httpx.Client(transport=transport, base_url="http://localhost/api/v1", timeout=20)


def metric(port, name):
    """The sum of a metric over its labels."""
    text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    return sum(
        float(value) for value in re.findall(rf"^{name}(?:{{.*?}})? (\S+)$", text, re.MULTILINE)
    )


def test_by_tcp_it_needs_a_token_and_so_do_its_events(running, world, tmp_path):
    token = tmp_path / "token"
    with hub_of(running) as hub:
        made = hub.post("/tokens", json={"name": "coredns", "role": "source"})
    assert made.status_code == 201
    token.write_text(made.json()["token"] + "\n")
    verdict = re.findall(r'\[verdict\]\nlisten = "(.*?)"', running.config.read_text())[0]
    metrics = servers.free_port()
    block = f"""
    namewarden http://{verdict} {{
        token {token}
        events http://127.0.0.1:{running.hub}
    }}
    prometheus 127.0.0.1:{metrics}
    forward . {world.host}:{world.port}"""
    with servers.coredns(tmp_path / "coredns", block) as by_tcp:
        running.until(lambda: data(ask(by_tcp, "www.bad.example.net")) == ["0.0.0.0"])
        assert running.event("www.bad.example.net.", source="coredns", transport="udp")
        running.until(lambda: metric(metrics, "coredns_namewarden_events_total") >= 1)
        assert metric(metrics, "coredns_namewarden_verdicts_total") >= 1
        label = f'to="http://{verdict}"'
        assert label in httpx.get(f"http://127.0.0.1:{metrics}/metrics").text


def test_a_service_that_is_killed_again_and_again_costs_no_answer(running, world, tmp_path):
    metrics = servers.free_port()
    block = f"""
    namewarden unix://{running.folder}/var/verdict.sock {{
        events off
    }}
    pprof 127.0.0.1:{metrics}
    forward . {world.host}:{world.port}"""

    def goroutines():
        text = httpx.get(f"http://127.0.0.1:{metrics}/debug/pprof/goroutine?debug=1").text
        return int(re.findall(r"total (\d+)", text)[0])

    with servers.coredns(tmp_path / "coredns", block) as firewall:
        ask(firewall, "www.example.org")
        before = goroutines()
        end = time.monotonic() + 4
        with ThreadPoolExecutor(4) as pool:
            asking = [pool.submit(ask_until, firewall, end, worker) for worker in range(4)]
            for _ in range(3):
                os.kill(running.pids("resolver")[0], signal.SIGKILL)
                time.sleep(1.2)
            counts, slowest = zip(*(each.result() for each in asking), strict=True)
        assert sum(counts) > 100 and max(slowest) < 1.0
        fresh = (f"n{number}.bad.example.net" for number in range(10_000))
        running.until(lambda: data(ask(firewall, next(fresh))) == ["0.0.0.0"])
        running.until(lambda: goroutines() <= before + 8)  # connections that are kept


def ask_until(server, end, worker):
    """Names that nobody knows: how many were answered, and how long the slowest took."""
    count, slowest = 0, 0.0
    while (begun := time.monotonic()) < end:
        reply = ask(server, f"n{count}w{worker}.example.net")
        assert (rcode(reply), data(reply)) == ("NOERROR", ["192.0.2.1"])
        count, slowest = count + 1, max(slowest, time.monotonic() - begun)
    return count, slowest


def test_nobody_there_and_fail_closed(world, tmp_path):
    block = f"""
    namewarden unix://{tmp_path}/nobody.sock {{
        fail closed
    }}
    forward . {world.host}:{world.port}"""
    with servers.coredns(tmp_path / "coredns", block) as closed:
        reply = ask(closed, "www.example.org")
        assert (rcode(reply), codes(reply)) == ("SERVFAIL", [14])


@pytest.mark.parametrize(
    ("block", "wrong"),
    [
        ("namewarden", r"Corefile:3 - Error during parsing: Wrong argument count"),
        (
            "namewarden unix:///x.sock {\n fail ajar\n}",
            r"Corefile:4 .* 'ajar', expected open or closed",
        ),
        ("namewarden http://192.0.2.1", r"Corefile:3 .* expected https:// for another machine"),
    ],
)
def test_a_wrong_corefile_is_told_with_its_line(block, wrong, tmp_path):
    corefile = tmp_path / "Corefile"
    corefile.write_text(f".:0 {{\n    bind 127.0.0.1\n    {block}\n}}\n")
    done = subprocess.run(
        [go.built("coredns"), "-conf", corefile], capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 1
    assert re.search(wrong, done.stdout + done.stderr), done.stdout + done.stderr


def test_after_rewrite_the_new_name_is_judged_and_the_one_asked_is_logged(running, world, tmp_path):
    block = f"""
    rewrite name exact www.outer.example.net www.bad.example.net
    namewarden unix://{running.folder}/var/verdict.sock
    forward . {world.host}:{world.port}"""
    with servers.coredns(tmp_path / "coredns", block) as rewriting:
        reply = ask(rewriting, "WWW.outer.example.net")
        assert data(reply) == ["0.0.0.0"]
        assert reply.question[0].name.to_text() == "WWW.outer.example.net."
        found = running.event("www.outer.example.net.", source="coredns")
        assert (found["status"], found["rule"]) == ("BLOCKED", "malware:1 ||bad.example.net^")
