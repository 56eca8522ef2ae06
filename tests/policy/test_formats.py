"""What each line of each format means, and why the others are skipped."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namewarden.policy.formats import read_line
from namewarden.policy.lines import ListRule
from namewarden.policy.reader import Reader
from namewarden.policy.rpz import zone_of
from namewarden.policy.terms import Terms


def rule(name, match="exact", effect="own", suffix="", **terms):
    return (ListRule(name, match, effect, terms=Terms(**terms) if terms else None, suffix=suffix),)


def address(name, effect="own", **terms):
    said = Terms(**terms) if terms else None
    return (ListRule(name, "exact", effect, trigger="address", terms=said),)


def mapping(kind, text, *names):
    return tuple(ListRule(name, effect="data", records=((kind, 10, text),)) for name in names)


BAD = rule("bad.example.")
BOTH = rule("bad.example.", "both")
BELOW = rule("bad.example.", "below")
ASK = rule("bad.example.", "both", "ask")


@pytest.mark.parametrize(
    ("line", "reading"),
    [
        # hosts
        ("0.0.0.0 bad.example", BAD),
        ("127.0.0.1\tBAD.example # why", BAD),
        (":: bad.example", BAD),
        ("::1 bad.example", BAD),
        ("0 bad.example", BAD),
        ("192.168.1.9 bad.example", BAD),  # a pixel server
        ("0.0.0.0 bad.example worse.example", BAD + rule("worse.example.")),
        ("127.0.0.1 localhost", "header"),
        ("::1 ip6-localhost ip6-loopback", "header"),
        ("fe80::1%lo0 localhost", "header"),
        ("255.255.255.255 broadcasthost", "header"),
        ("0.0.0.0 0.0.0.0", "header"),
        ("8.8.8.8 www.example.org", "mapping"),
        ("0.0.0.0 85.17.187.83", "address"),
        ("0.0.0.0", "header"),
        # names
        ("bad.example", BAD),
        ("  bad.example.  ", BAD),
        ("bad.example # why", BAD),
        ("*.bad.example", BOTH),
        (".bad.example", BOTH),
        (".zip", rule("zip.", "both")),
        ("*.zip", rule("zip.", "both")),
        ("*.co.uk", rule("co.uk.", "both")),
        ("*.bad.*", "wildcard"),
        ("bad.*", "wildcard"),
        ("ads*.bad.example", rule(r"ads.*\.bad\.example", "pattern")),
        ("*bad.example", rule(r"bad\.example", "pattern")),
        ("*.bad.*.example", "wildcard"),
        ("bad.example^/", rule(r"bad\.example$", "pattern")),
        ("word", "name"),
        ("-ad.gif", "name"),
        ("many words here", "syntax"),
        ("", "blank"),
        ("\t ", "blank"),
        ("# comment", "comment"),
        ("#", "comment"),
        ("##########", "comment"),
        ("// comment", "comment"),
        ("x" * 5000, "long"),
        # Maltrail
        ("198.51.100.7", address("198.51.100.7")),
        ("198.51.100.7:443", "address"),
        ("198.51.100.0/24", address("198.51.100.0/24")),
        ("198.51.100.7  # C2, expires=2026-12-31", address("198.51.100.7", expires=1798761600.0)),
        ("2001:DB8::7", address("2001:db8::7")),
        ("1.2.3.*", address("1.2.3.0/24")),
        ("*.0.2.7", address("*.0.2.7")),
        ("0.1", "name"),
        ("1.2.3.4.5", "name"),
        ("bad.example:8080", "port"),
        ("http://bad.example/x", "url"),
        ("bad.example/x/y", "path"),
        ("/UamQky9H9rSyN7CWdue/", "path"),
        ("/cgi-bin/a.php", "path"),
        # AdBlock
        ("||bad.example^", BOTH),
        ("||bad.example^|", BOTH),
        ("||bad.example", BOTH),
        ("||bad.example^$important", rule("bad.example.", "both", important=True)),
        ("||zip^", rule("zip.", "both")),
        ("|bad.example^", BAD),
        ("|bad.example|", BAD),
        ("@@|bad.example^", rule("bad.example.", "exact", "allow")),
        (".bad.example^", BELOW),
        ("*.bad.example^", BELOW),
        ("//bad.example^", "comment"),
        ("bad.example$important", rule(r"bad\.example", "pattern", important=True)),
        ("@@bad.example", rule(r"bad\.example", "pattern", "allow")),
        ("bad.example^", rule(r"bad\.example$", "pattern")),
        ("ad.bad.example^", rule(r"ad\.bad\.example$", "pattern", suffix="bad.example.")),
        ("|bad.exam", rule(r"^bad\.exam", "pattern")),
        ("||bad.example^$badfilter", rule("bad.example.", "both", is_bad=True)),
        (
            "||bad.example^$important,badfilter",
            rule("bad.example.", "both", important=True, is_bad=True),
        ),
        ("||bad.example^$important,important", "option"),
        ("||*.bad.example^", BELOW),
        ("@@||bad.example^", rule("bad.example.", "both", "allow")),
        ("@@||bad.example^$important", rule("bad.example.", "both", "allow", important=True)),
        ("||bad.example^$third-party", "option"),
        ("||bad.example^$script,domain=a.example", "option"),
        ("||bad.example/ads/^", "path"),
        ("||bad.*^", rule(r"(?:^|\.)bad\.", "pattern")),
        (
            "||ads*.bad.example^",
            rule(r"(?:^|\.)ads.*\.bad\.example$", "pattern", suffix="bad.example."),
        ),
        (
            "@@||c*k.bad.example^",
            rule(r"(?:^|\.)c.*k\.bad\.example$", "pattern", "allow", "bad.example."),
        ),
        ("||ads*.example^", rule(r"(?:^|\.)ads.*\.example$", "pattern")),
        ("||*ads*^", rule("ads", "pattern")),
        ("||a*^", "wildcard"),
        ("||*^", "wildcard"),
        ("||ads.", rule(r"(?:^|\.)ads\.", "pattern")),
        ("|http://bad.example^", BAD),
        ("||172.16.*.1^", address("172.16.*.1")),
        ("|198.51.100.7^", address("198.51.100.7")),
        ("@@198.51.100.7", address("198.51.100.7", "allow")),
        ("@@2001:db8::/32", address("2001:db8::/32", "allow")),
        ("||2001:db8::90^", address("2001:db8::90")),
        ("198.51.100.7$important", address("198.51.100.7", important=True)),
        ("198.51.100.7$dnsrewrite=192.0.2.1", "option"),
        ("|https://1:*:1/", "name"),
        ("||bad.example^x", "unanchored"),
        ("example.org##.banner", "cosmetic"),
        ("example.org#@#.banner", "cosmetic"),
        ("##.banner", "cosmetic"),
        ("! comment", "comment"),
        ("[Adblock Plus 2.0]", "header"),
        ("||192.0.2.7^", address("192.0.2.7")),
        # dnsmasq
        ("address=/bad.example/", BOTH),
        ("address=/bad.example/#", BOTH),
        ("address=/bad.example/0.0.0.0", BOTH),
        ("address=/bad.example/::", BOTH),
        ("address=/.bad.example/127.0.0.1", BOTH),
        ("address=/bad.example/worse.example/", BOTH + rule("worse.example.", "both")),
        ("local=/bad.example/", BOTH),
        ("server=/bad.example/", BOTH),
        ("server=/bad.example/9.9.9.9", ASK),
        ("server=/bad.example/#", ASK),
        ("server=/bad.example/worse.example/#", ASK + rule("worse.example.", "both", "ask")),
        ("address=/bad.example/8.8.8.8", "mapping"),
        # Unbound
        ('local-zone: "bad.example." always_nxdomain', BOTH),
        ("local-zone: bad.example static", BOTH),
        ("local-zone: 'bad.example' static", BOTH),
        ("local-zone: 'bad.example.' 'refuse' # why", BOTH),
        ('local-zone: "bad.example" transparent', ASK),
        ("local-zone: bad.example inform", ASK),
        ('local-zone: "bad.example" nodefault', "option"),
        ('local-data: "bad.example A 0.0.0.0"', BAD),
        ('local-data: "www.example.org A 8.8.8.8"', "mapping"),
        ("server:", "header"),
        # BIND
        ('zone "bad.example" { type master; notify no; file "null.zone.file"; };', BOTH),
        ('zone "bad.example" IN { type primary; file "x"; };', BOTH),
        ('zone "bad.example" { type forward; forwarders { 192.0.2.1; }; };', "syntax"),
        # patterns
        (r"/^ads[0-9]+\./", rule(r"^ads[0-9]+\.", "pattern")),
        (r"\.agency$", rule(r"\.agency$", "pattern")),
        (r"@@/^ok[0-9]/", rule(r"^ok[0-9]", "pattern", "allow")),
        ("/^x[0-9]/$important", rule("^x[0-9]", "pattern", important=True)),
        ("/^x[0-9]$/$badfilter", rule("^x[0-9]$", "pattern", is_bad=True)),
        ("/.*/$dnstype=HTTPS", rule(".*", "pattern", types=(65,))),
        ("ads?[0-9]+", rule("ads?[0-9]+", "pattern")),
        ("doubleclick|adservice", rule("doubleclick|adservice", "pattern")),
        (
            "^ad([sxv]?[0-9]*|system)[_.-]([^.[:space:]]+\\.){1,}|[_.-]ad([sxv]?[0-9]*|system)[_.-]",
            rule(
                "^ad([sxv]?[0-9]*|system)[_.-]([^.[:space:]]+\\.){1,}|[_.-]ad([sxv]?[0-9]*|system)[_.-]",
                "pattern",
            ),
        ),
        ("/(a|)/", "pattern"),
        ("/(unclosed/", "pattern"),
        ("/" + "a?" * 400 + "/", "pattern"),
    ],
)
def test_auto_recognises_each_line(line, reading):
    assert read_line(line) == reading


@pytest.mark.parametrize(
    ("form", "line", "reading"),
    [
        ("domains", "test", rule("test.")),
        ("domains", "0.0.0.0 bad.example", "name"),
        ("hosts", "bad.example", "syntax"),
        ("wildcard", "*.bad.example", BOTH),
        ("domains", "*.zip", rule("zip.", "both")),
        ("domains", ".zip", rule("zip.", "both")),
        ("dnsmasq", "address=/zip/", rule("zip.", "both")),
        ("unbound", 'local-zone: "zip" always_null', rule("zip.", "both")),
        ("adblock", "*.bad.example", rule(r"\.bad\.example", "pattern")),
        ("adblock", "bad.example.", rule(r"bad\.example\.", "pattern")),
        ("adblock", "//bad.example^", BOTH),
        ("adblock", "word", rule("word.")),
        ("adblock", "/bad.example/", rule("bad.example", "pattern")),
        ("auto", "/bad.example/", "path"),
        ("auto", "/bad.example/$important", rule("bad.example", "pattern", important=True)),
        ("adblock", "bad.example # why", BAD),
        ("regex", "bad", rule("bad", "pattern")),
        ("regex", "/bad/", rule("bad", "pattern")),
        ("regex", "# comment", "comment"),
        ("regex", "*", "pattern"),
        ("dnsmasq", "cache-size=1000", "option"),
        ("dnsmasq", "bad.example", "option"),
        ("unbound", "bad.example", "syntax"),
        ("bind", "bad.example", "syntax"),
        ("adblock", "0.0.0.0 bad.example", BAD),
        ("adblock", "8.8.8.8 bad.example", mapping("A", "8.8.8.8", "bad.example.")),
        (
            "adblock",
            "192.168.1.9 bad.example. b.test # why",
            mapping("A", "192.168.1.9", "bad.example.", "b.test."),
        ),
        ("adblock", "2001:DB8::1 bad.example", mapping("AAAA", "2001:db8::1", "bad.example.")),
        ("adblock", "8.8.8.8 localhost", "header"),
        ("adblock", "8.8.8.8 1.2.3.4", "address"),
        ("hosts", "8.8.8.8 bad.example", "mapping"),
        ("hosts", "198.51.100.7", "address"),  # half a line
        ("adblock", "198.51.100.7:443", address("198.51.100.7")),
        ("adblock", "172.165.*.1:80^", address("172.165.*.1")),
        ("domains", "198.51.100.7", address("198.51.100.7")),
        ("wildcard", "198.51.100.0/24  # why", address("198.51.100.0/24")),
        ("dnsmasq", "198.51.100.7", "option"),
        ("regex", "198.51.100.7", rule("198.51.100.7", "pattern")),
    ],
)
def test_a_format_that_is_said_reads_every_line_so(form, line, reading):
    assert read_line(line, form) == reading


FORMS = ["auto", "hosts", "domains", "wildcard", "adblock", "dnsmasq", "unbound", "bind", "regex"]


@given(st.text(max_size=300), st.sampled_from(FORMS))
def test_any_line_is_a_rule_or_a_reason(line, form):
    reading = read_line(line, form)
    assert isinstance(reading, str) or all(isinstance(one, ListRule) for one in reading) and reading


@pytest.mark.parametrize(
    "piece",
    ["a", "1", " ", ".", '"', "{", "}", "type master;", "; ", "a.", "/", "#", "-", "\\", "1h", "("],
)
@pytest.mark.parametrize(
    "head", ["", 'zone "a" {', 'local-data: "', "local-zone: ", "address=/", "||", "a CNAME ", "$"]
)
def test_long_lines_cost_no_time(head, piece):
    start = time.perf_counter()
    line = (head + piece * 1024)[:1024]
    read_line(line)
    Reader("auto").read(line)
    Reader("rpz").read(line)
    zone_of((line * 20).encode())
    assert time.perf_counter() - start < 0.5


PIECES = ["||", "@@", "^", "$", "/", "0.0.0.0", " ", "bad.example", ".", "*", "#", "address=/", "local-zone: ",
          '"', "zone ", "{", "}", ";", "::", "[", "]", "%", ":80", "\\", "(", "CNAME", "important", ","]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), st.sampled_from(FORMS))
def test_pieces_of_every_format_in_any_order(line, form):
    reading = read_line(line, form)
    assert isinstance(reading, str) or reading
