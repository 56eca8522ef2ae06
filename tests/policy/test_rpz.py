"""Response policy zones as written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namewarden.policy import rpz
from namewarden.policy.lines import ListRule
from namewarden.policy.reader import Reader
from namewarden.policy.rpz import zone_of

OWNERS = [
    "a",
    "b.",
    ".",
    "\t",
    " ",
    "\n",
    "; ",
    "CNAME ",
    "A ",
    "*.",
    "x.rpz. CNAME .\n",
    "q.rpz.\tA 1.2.3.4\n",
]
HEAD = """\
$TTL 1h
$ORIGIN rpz.test.
@ IN SOA localhost. root.localhost. (
    1      ; serial
    1h 15m
    30d 1h )
  IN NS localhost.
"""


def read(text, form="rpz"):
    reader = Reader(form, zone_of(text.encode()))
    return [reader.read(line) for line in text.splitlines()]


def one(line, form="rpz"):
    return read(HEAD + line, form)[-1]


def policy(name, effect, match="exact", *records):
    return (ListRule(name, match, effect, True, records),)


def trigger(name, kind, match="exact"):
    return (ListRule(name, match, "nxdomain", True, (), kind),)


def test_the_head_is_no_rule():
    assert read(HEAD) == ["header", "header", "apex", "apex", "apex", "apex", "apex"]


@pytest.mark.parametrize("form", ["rpz", "auto"])
@pytest.mark.parametrize(
    ("line", "reading"),
    [
        ("bad.example CNAME .", policy("bad.example.", "nxdomain")),
        ("BAD.example 60 IN CNAME .", policy("bad.example.", "nxdomain")),
        ("bad.example.rpz.test. IN 60 CNAME .", policy("bad.example.", "nxdomain")),
        ("*.bad.example CNAME . ; why", policy("bad.example.", "nxdomain", "below")),
        ("bad.example CNAME *.", policy("bad.example.", "nodata")),
        ("bad.example CNAME rpz-passthru.", policy("bad.example.", "allow")),
        ("bad.example CNAME rpz-drop.", policy("bad.example.", "drop")),
        ("bad.example CNAME rpz-tcp-only.", policy("bad.example.", "tcp-only")),
        ("bad.example CNAME bad.example.", policy("bad.example.", "allow")),
        ("bad.example A 192.0.2.1", policy("bad.example.", "data", "exact", ("A", 3600, "192.0.2.1"))),
        ("bad.example 5 AAAA 2001:DB8::1", policy("bad.example.", "data", "exact", ("AAAA", 5, "2001:db8::1"))),
        ('bad.example TXT "a;b" c', policy("bad.example.", "data", "exact", ("TXT", 3600, '"a;b" "c"'))),
        (
            "bad.example CNAME *.garden.example.",
            policy("bad.example.", "data", "exact", ("CNAME", 3600, "*.garden.example.")),
        ),
        ("* CNAME .", policy(".", "nxdomain", "below")),
        ("32.1.2.0.192.rpz-ip CNAME .", trigger("192.0.2.1/32", "ip")),
        ("24.0.2.0.192.rpz-client-ip CNAME .", trigger("192.0.2.0/24", "client-ip")),
        ("ns.bad.example.rpz-nsdname CNAME .", trigger("ns.bad.example.", "nsdname")),
        ("*.bad.example.rpz-nsdname.rpz.test. CNAME .", trigger("bad.example.", "nsdname", "below")),
        ("48.zz.1.db8.2001.rpz-nsip CNAME .", trigger("2001:db8:1::/48", "nsip")),
        (
            "32.1.2.0.192.rpz-ip CNAME 32.1.2.0.192.",
            (ListRule("192.0.2.1/32", "exact", "allow", True, (), "ip"),),
        ),
        ("33.1.2.0.192.rpz-ip CNAME .", "trigger"),
        ("24.1.2.0.192.rpz-ip CNAME .", "trigger"),
        ("rpz-ip CNAME .", "trigger"),
        ("bad.example CNAME rpz-unsupported.", "action"),
        ("bad.example CNAME x.rpz-unsupported.", "action"),
        ("bad.example. CNAME .", "outside"),
        ("bad.example MX nonsense", "syntax"),
        ("bad.example DNAME other.example.", policy("bad.example.", "data")),
        ("bad.example NS ns.other.example.", "type"),
        ("$INCLUDE other.db", "include"),
        ("; comment", "comment"),
    ],
)  # fmt: skip
def test_records(line, reading, form):
    assert one(line, form) == reading


def test_a_record_without_owner_has_the_last_one():
    readings = read(HEAD + "a.example A 192.0.2.1\n  60 A 192.0.2.2\n\tTXT x")
    assert [reading[0].name for reading in readings[-3:]] == ["a.example."] * 3


def test_a_record_over_several_lines():
    assert read(HEAD + "a.example TXT ( x\n y )\nb.example CNAME .")[-3:] == [
        "apex",
        policy("a.example.", "data", "exact", ("TXT", 3600, '"x" "y"')),
        policy("b.example.", "nxdomain"),
    ]


def test_an_origin_below_the_zone():
    assert read(HEAD + "$ORIGIN example.rpz.test.\nbad CNAME .")[-1] == policy(
        "bad.example.", "nxdomain"
    )


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("$ORIGIN rpz.test.\n", "rpz.test."),
        ("rpz. 300 IN SOA localhost. x. (\n", "rpz."),
        ("rpz. IN 300 SOA localhost. x. 1 2 3 4 5\n", "rpz."),
        ("$ORIGIN .\nrpz.test SOA a. b. 1 2 3 4 5\n", "rpz.test."),
        ("$ORIGIN test.\nrpz 1h SOA a. b. (\n", "rpz.test."),
        ("$ORIGIN test.\n$ORIGIN rpz\n@ SOA a. b. (\n", "rpz.test."),
        ("$ORIGIN rpz.test.\n@ SOA a. b. (\n$ORIGIN example.rpz.test.\n", "rpz.test."),
        ("; x SOA a. b.\n$ORIGIN rpz.test.\n@ SOA a. b. (\n", "rpz.test."),
        ("@ SOA a. b. 1 2 3 4 5\nx.com.rpz. CNAME .\n*.y.org.rpz. CNAME .\n", "rpz."),
        ("x.com.rpz.local. CNAME .\n", "rpz.local."),
        ("x.com. CNAME .\ny.com. CNAME .\n", ""),
        ("x.com CNAME .\n", ""),
    ],
)
def test_the_zones_own_name(text, zone):
    assert zone_of(text.encode()) == zone


@pytest.mark.parametrize("head", [
    "$ORIGIN .\n$TTL 60\nrpz.test IN SOA a. b. 1 2 3 4 5\n$ORIGIN rpz.test.\n",
    "$ORIGIN test.\nrpz SOA a. b. 1 2 3 4 5\n$ORIGIN rpz.test.\n",
    "$ORIGIN elsewhere.\nrpz.test. SOA a. b. 1 2 3 4 5\n$ORIGIN rpz.test.\n",
])  # fmt: skip
def test_the_soas_owner_is_the_zone_whatever_origin_came_before(head):
    assert read(head + "bad.example CNAME .")[-1] == policy("bad.example.", "nxdomain")


def test_an_at_is_the_origin_not_the_zone():
    assert one("$ORIGIN bad.example.rpz.test.\n@ CNAME .") == policy("bad.example.", "nxdomain")


def test_absolute_owners_of_an_unknown_zone_are_not_guessed():
    assert read("x.com. CNAME .\ny.com. CNAME .") == ["outside", "outside"]


@given(st.lists(st.sampled_from(
    ["a.example", "*", ".", "@", " ", "\n", "CNAME", "A", "TXT", "SOA", "(", ")", '"', ";", "\\", "$ORIGIN",
     "$TTL", "1h", "99999999999999999999", "IN", "192.0.2.1", "rpz-drop.",
    "é"]), max_size=20).map(" ".join))  # fmt: skip
def test_any_text_is_rules_or_reasons(text):
    for form in ("rpz", "auto"):
        assert all(isinstance(reading, str) or reading for reading in read(text, form))


@given(st.lists(st.sampled_from(OWNERS), max_size=30).map("".join))
def test_absolute_owners_are_found_as_by_a_look_at_every_line(text):
    data = text.encode()
    found = [each.span() for each in rpz._absolute_owners(data)]
    assert found == [each.span() for each in rpz._ABSOLUTE.finditer(data)]
