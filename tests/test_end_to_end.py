"""The whole product with real sockets: from the client's datagram to the row that the analyst sees."""

import json
import os
import re
import signal
import subprocess
import sys
from datetime import datetime

import dns.edns
import dns.flags
import pytest

from tests.product import data, product, rcode

GENERATED = [
    "kwcverionirkutskagl.com", "pxmqsemitismgavenuteq.com", "hkbdqjynugpghonpbh.com", "qhvwzkxjtdmpsrlf.net",
    "jlgszlvtccmufkulkfjata.org", "wjyqgnntjnofhj.com", "kzchkdvwbtkqplcfwbpqrtwh.info", "mvqxzjkwthpsdrnl.biz",
]  # fmt: skip
LISTS = """
[[lists]]
name = "malware"
source = "{folder}/malware.txt"

[[lists]]
name = "friends"
source = "{folder}/friends.txt"
kind = "allow"

[[groups]]
name = "quiet"
clients = ["127.0.0.2/32"]
block = "nxdomain"

[rebinding]
allow = ["vpn.example.org"]

[local]
records = ["nas.lan. 300 A 192.168.1.5"]
"""
MALWARE = """# a list of several formats
0.0.0.0 listed.example.net
||zone.example.net^
*.below.example.net
/^ads[0-9]+\\.example\\.net$/
cdn-tracker.example.net
||mixed.example.net^
www.example.org.
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory, world):
    folder = tmp_path_factory.mktemp("product")
    (folder / "malware.txt").write_text(MALWARE)
    (folder / "friends.txt").write_text("good.mixed.example.net\n")
    friends = 'allow = ["127.0.0.1/32", "127.0.0.2/32"]'
    with product(folder, world, LISTS.format(folder=folder), listeners=friends) as started:
        yield started


def test_a_name_is_resolved_by_the_upstream(running, world):
    reply = running.ask("mail.example.org")
    assert (rcode(reply), data(reply)) == ("NOERROR", ["192.0.2.11"])
    assert reply.flags & dns.flags.RA and reply.edns == 0
    event = running.event("mail.example.org")
    assert (event["action"], event["status"], event["client"]) == (
        "allow",
        "FORWARDED",
        "127.0.0.1",
    )
    assert event["upstream"].endswith(str(world.port)) and event["addresses"] == ["192.0.2.11"]


@pytest.mark.parametrize(
    "name",
    [
        "listed.example.net",
        "a.zone.example.net",
        "below.example.net",
        "x.below.example.net",
        "ads7.example.net",
    ],
)
def test_a_listed_name_is_blocked_and_says_why(running, name):
    for kind, expected in (("A", ["0.0.0.0"]), ("AAAA", ["::"]), ("HTTPS", []), ("TXT", [])):
        reply = running.ask(name, kind)
        assert (rcode(reply), data(reply)) == ("NOERROR", expected)
        assert [option.code for option in reply.extended_errors()] == [15]
    event = running.event(name)
    assert (event["action"], event["reason"]) == ("block", "list_deny")
    assert event["rule"].startswith("malware:")


@pytest.mark.parametrize(
    "name", ["a.listed.example.net", "beside.example.net", "good.mixed.example.net"]
)
def test_what_no_line_means_or_a_list_allows_is_answered(running, name):
    assert data(running.ask(name)) == ["192.0.2.1"]


def test_the_cname_chain_is_screened(running):
    assert data(running.ask("www.example.org")) == ["0.0.0.0"]
    reply = running.ask("chain.example.org")
    assert data(reply) == ["0.0.0.0"]
    event = running.event("chain.example.org")
    assert (event["status"], event["reason"]) == ("BLOCKED_CNAME", "cname_deny")


@pytest.mark.parametrize("name", ["service.example.org", "services.example.org"])
def test_where_https_records_lead_is_screened_as_a_cname_is(running, name):
    for _ in range(3):  # the last from the packet cache
        reply = running.ask(name, "HTTPS")
        assert (rcode(reply), data(reply)) == ("NOERROR", [])
        assert [option.code for option in reply.extended_errors()] == [15]
    event = running.event(name)
    assert (event["status"], event["reason"]) == ("BLOCKED_CNAME", "cname_deny")
    assert event["rule"] == "malware:3 ||zone.example.net^"


@pytest.mark.parametrize(
    ("name", "kind", "rule"),
    [
        ("inside.example.org", "A", "192.168.1.77 in 192.168.0.0/16"),
        ("hinted.example.org", "HTTPS", "fd00::77 in fc00::/7"),
    ],
)
def test_a_private_address_of_a_public_name_is_flagged_each_time(running, name, kind, rule):
    for _ in range(3):  # the last from the packet cache
        reply = running.ask(name, kind)
        assert len(data(reply)) == 1 and not reply.extended_errors()
    event = running.event(name)
    assert (event["action"], event["reason"], event["rule"]) == ("flag", "rebinding", rule)


def test_who_may_have_a_private_address_is_not_flagged(running):
    assert data(running.ask("vpn.example.org")) == ["10.8.0.1"]
    event = running.event("vpn.example.org")
    assert (event["action"], event["reason"]) != ("flag", "rebinding")


def test_a_stranger_is_refused_what_friends_asked_lately_too(running):
    for _ in range(3):  # the packet cache learns a question when it comes again
        assert rcode(running.ask("ns.example.org")) == "NOERROR"
    refused = running.ask("ns.example.org", source="127.0.0.9")
    assert rcode(refused) == "REFUSED" and refused.options[0].code == 18
    assert running.event("ns.example.org", client="127.0.0.9")["reason"] == "acl"


def test_groups_share_no_prepared_answers(running):
    for _ in range(3):
        assert data(running.ask("zone.example.net")) == ["0.0.0.0"]
        assert rcode(running.ask("zone.example.net", source="127.0.0.2")) == "NXDOMAIN"
    assert running.event("zone.example.net", client="127.0.0.2")["group"] == "quiet"
    assert running.event("zone.example.net", client="127.0.0.1")["group"] == "default"


def test_own_records_special_names_and_any_never_go_upstream(running):
    assert data(running.ask("nas.lan")) == ["192.168.1.5"]
    assert rcode(running.ask("printer")) == "NXDOMAIN"
    assert data(running.ask("localhost")) == ["127.0.0.1"]
    assert data(running.ask("example.org", "ANY"))[0].startswith('"RFC8482"')
    assert running.event("printer")["status"] == "LOCAL"


def test_most_generated_names_are_blocked_or_in_review(running):
    for name in GENERATED:
        running.ask(name)
    actions = [running.event(name)["action"] for name in GENERATED]
    assert sum(action in ("block", "review") for action in actions) > len(GENERATED) / 2
    for name in GENERATED:
        event = running.event(name)
        assert event["score"] is not None and event["model"]


def test_the_name_of_the_readme_is_blocked_as_it_says(running):
    blocked = running.ask("hkbdqjynugpghonpbh.com")
    assert data(blocked) == ["0.0.0.0"] and blocked.options[0].code == 15


def test_the_log_names_the_family_of_a_malicious_name(running):
    name = "hkbdqjynugpghonpbh.com"
    running.ask(name)
    family = running.event(name)["family"]
    told = running.command("query", "--config", str(running.config), "--name", name).stdout
    assert family and f" {family} score >= " in told


def test_popular_names_are_answered(running):
    for name in ("google.com", "microsoft.com", "github.com"):
        assert data(running.ask(name)) == ["192.0.2.1"]


@pytest.mark.parametrize(
    "name", ["listed.example.net", GENERATED[0], "mail.example.org", "printer"]
)
def test_explain_tells_the_same_as_the_log(running, name):
    running.ask(name)
    event = running.event(name)
    done = running.command("explain", name, "--config", str(running.config), "--format", "json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    for field in ("action", "reason", "rule", "score", "band", "family", "rcode", "group"):
        assert told[field] == event[field], field


def test_explain_in_words_does_not_pass_off_its_own_start_as_a_querys_duration(running):
    told = running.command("explain", "printer", *running.where).stdout
    assert "reason     special" in told and "duration" not in told


def test_a_rule_made_by_hand_acts_at_once_and_ends(running):
    name, where = "byhand.example.net", running.where
    assert data(running.ask(name)) == ["192.0.2.1"]
    done = running.command(
        "deny", name, "--for", "1h", "--reason", "test", "--config", str(running.config)
    )
    assert done.returncode == 0, done.stderr
    assert data(running.ask(name)) == ["0.0.0.0"]
    running.event(name, reason="rule_deny", action="block", rule=f"rule:decision {name} (test)")
    assert f"deny {name}. until " in running.command("decisions", *where).stdout
    undone = running.command("undo", name, *where)
    assert undone.returncode == 0, undone.stderr
    assert data(running.ask(name)) == ["192.0.2.1"]
    assert running.command("undo", name, *where).returncode == 1
    allowed = running.command("allow", "listed.example.net", "--config", str(running.config))
    assert allowed.returncode == 0, allowed.stderr
    assert data(running.ask("listed.example.net")) == ["192.0.2.1"]


def test_the_log_is_asked_by_all_that_a_row_says(running):
    running.ask("xn--bcher-kva.example.org")
    event = running.event("bücher.example.org")
    assert event["name"] == "xn--bcher-kva.example.org."
    found = running.events(
        "--name", "*.example.org", "--client", "127.0.0.0/8", "--type", "a", "--source", "resolver",
        "--group", "default", "--status", event["status"], "--reason", event["reason"], "--since", "1h",
    )  # fmt: skip
    assert event["id"] in {each["id"] for each in found}
    assert event["id"] not in {each["id"] for each in running.events("--until", "1h")}
    said = running.command("query", *running.where, "--name", "bücher.example.org").stdout
    assert "NOERROR" in said or "NXDOMAIN" in said
    assert datetime.fromisoformat(said.split("  ")[0]).tzinfo is not None


def test_what_comes_in_is_followed(running):
    command = [
        sys.executable,
        "-m",
        "namewarden",
        "query",
        *running.where,
        "--follow",
        "--limit",
        "1",
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=running.folder, env=running.environ
    ) as following:
        assert following.stdout is not None
        following.stdout.readline()
        running.ask("followed.example.org")
        while "followed.example.org." not in following.stdout.readline():
            pass
        following.send_signal(signal.SIGINT)
    assert following.returncode == 0


def test_a_pause_lets_all_pass_for_a_group_or_for_all(running):
    def is_blocked(source: str) -> bool:
        return data(running.ask("zone.example.net", source=source)) != ["192.0.2.1"]

    assert is_blocked("127.0.0.1") and is_blocked("127.0.0.2")
    assert running.command("pause", "1h", "--group", "quiet", *running.where).returncode == 0
    assert is_blocked("127.0.0.1") and not is_blocked("127.0.0.2")
    paused = running.command("pause", *running.where)
    assert paused.stdout.startswith("paused for all until ") and ": in force" in paused.stdout
    assert not is_blocked("127.0.0.1")
    told = running.command("decisions", *running.where).stdout.splitlines()
    whom = [line.partition(" until ")[0] for line in told if line.startswith("paused")]
    assert whom == ["paused for all", "paused for group quiet"]
    health = running.command("healthcheck", *running.where)
    assert health.returncode == 0 and "degraded: paused for group quiet until" in health.stderr
    assert running.command("resume", *running.where).returncode == 0
    again = running.command("resume", *running.where)
    assert again.returncode == 1
    assert again.stderr.startswith("nothing is paused for all (paused: for group quiet until ")
    assert is_blocked("127.0.0.1") and not is_blocked("127.0.0.2")
    assert running.command("resume", "--group", "quiet", *running.where).returncode == 0
    assert is_blocked("127.0.0.2")
    unknown = running.command("pause", "--group", "nobody", *running.where)
    assert unknown.returncode == 1 and "there is no group nobody" in unknown.stderr
    too_long = running.command("pause", "9999999d", *running.where)
    assert too_long.returncode == 1 and "the longest is 3650d" in too_long.stderr


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--type", "AAAAA"], "'AAAAA' is no query type such as AAAA or TYPE65"),
        (["--group", "nobody", "--format", "jsonl"], "no group nobody (groups: default, quiet)"),
        (["--source", "router", "--follow"], "no source router (sources: resolver)"),
    ],
)
def test_a_query_for_what_is_not_there_says_so(running, asked, said):
    done = running.command("query", *asked, *running.where)
    assert (done.returncode, done.stdout) == (1, "") and said in done.stderr


def test_a_rule_with_below_reaches_what_is_below(running):
    done = running.command("deny", "deep.example.net", "--below", "--config", str(running.config))
    assert "and all below for good: in force" in done.stdout
    for name in ("deep.example.net", "a.b.deep.example.net"):
        assert data(running.ask(name)) == ["0.0.0.0"]


def test_tcp_and_udp_say_the_same(running):
    for name in ("zone.example.net", "mail.example.org"):
        assert data(running.ask(name, tcp=True)) == data(running.ask(name))
    reply = running.ask("long.example.org", "TXT")
    assert reply.flags & dns.flags.TC
    assert len(data(running.ask("long.example.org", "TXT", tcp=True))) == 20


def test_every_query_is_counted_though_repeats_are_folded(running):
    for _ in range(50):
        running.ask("often.zone.example.net", "AAAA")
    running.event("often.zone.example.net", count=50)
    events = running.events("--name", "often.zone.example.net")
    assert sum(event["count"] for event in events) == 50 and len(events) < 25


def test_repeats_with_fresh_cookies_are_folded_and_counted(running):
    for _ in range(30):
        cookie = dns.edns.GenericOption(dns.edns.OptionType.COOKIE, os.urandom(8))
        reply = running.ask("cookie.zone.example.net", options=[cookie])
        assert data(reply) == ["0.0.0.0"] and reply.edns == 0
    running.event("cookie.zone.example.net", count=30)
    events = running.events("--name", "cookie.zone.example.net")
    assert sum(event["count"] for event in events) == 30 and len(events) < 15


def test_a_denied_name_that_is_asked_again_leaves_the_same_event_with_a_count(running):
    replies = [running.ask("twice.zone.example.net") for _ in range(5)]
    assert [(rcode(reply), data(reply)) for reply in replies] == [("NOERROR", ["0.0.0.0"])] * 5
    running.event("twice.zone.example.net", count=5)
    events = running.events("--name", "twice.zone.example.net")
    told = {(e["status"], e["reason"], e["rule"], e["group"], e["client"]) for e in events}
    assert sum(event["count"] for event in events) == 5 and len(told) == 1 and len(events) < 5
    assert told.pop()[:2] == ("BLOCKED", "list_deny")


def test_healthcheck_says_yes(running):
    done = running.command("healthcheck", "--config", str(running.config))
    assert done.returncode == 0, done.stdout + done.stderr


def test_healthcheck_leaves_no_row(running):
    before = len(running.events("--name", "localhost"))
    assert running.command("healthcheck", *running.where).returncode == 0
    running.ask("after.health.example.org")
    running.event("after.health.example.org")
    assert len(running.events("--name", "localhost")) == before


def test_score_reads_names_and_never_crashes(running):
    names = ["kwcverionirkutskagl.com", "google.com", "..", "", "a" * 300, "xn--bcher-kva.example"]
    done = running.command("score", stdin="\n".join(names) + "\n")
    assert done.returncode == 0, done.stderr
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [row[0] for row in rows] == names
    assert float(rows[0][1]) > float(rows[1][1])


def test_nothing_was_a_fault_and_nothing_is_in_the_log_but_words(running):
    assert "Traceback" not in running.text()
    stamp = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d \S")
    assert [line for line in running.text().splitlines() if not stamp.match(line)] == []
