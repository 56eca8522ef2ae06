"""The fast shapes read every line as the reader does."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from namewarden import native
from namewarden.policy import layout
from namewarden.policy.broad import Popular
from namewarden.policy.reader import Reader
from namewarden.policy.rpz import zone_of
from namewarden.policy.scan import Scan
from namewarden.policy.spec import ListSpec
from tests.policy.made import SECRET
from tests.shared_data import shared

FORMS = [
    "auto",
    "hosts",
    "domains",
    "wildcard",
    "adblock",
    "dnsmasq",
    "unbound",
    "bind",
    "rpz",
    "regex",
]
NAME = st.sampled_from(
    ["a.test", "A.Test", "x.a.test", "a.test.", "test", "test.", "a.b1", "a.1", "1.2.3.4", "-a.test", "a-.test",
     "localhost", "localhost.localdomain", "local.test", "_a.test", "a..test", "a.rpz.test.", "rpz.test.", "a.rpz-ip",
     "b" * 64 + ".test", "b" * 63 + ".test", ".".join(["c" * 60] * 5), "bücher.test", "*.a.test", "0.0.0.0"]
)  # fmt: skip
SHAPE = st.sampled_from(
    ["{}", " {}", "{} ", "{}\r", "{} # c", "{}#c", "||{}^", "||{}^ ", "||{}^$all", "||{}", "@@||{}^",
     "@@||{}^|", "*.{}", "||{}^$important", "@@|{}^", "||{}^$badfilter", "||ads*.{}^", "ad.{}^", "server=/{}/#",
     'local-zone: "{}" transparent', "zone '{}' {{", "type master; }};", 'zone "{}" {{', "  type master;", "}};",
     "*.{} # c", ".{}", "0.0.0.0 {}", "127.0.0.1\t{} # x", "::1 {}", ":: {}", "0.0.0.0 {} b.test",
     "address=/{}/0.0.0.0",
     "address=/{}/#", "address=/{}/", "address=/{}/::", "server=/{}/", "local=/{}/", 'local-zone: "{}" always_null',
     'local-zone: "{}" static', 'zone "{}" {{ type master; notify no; file "null"; }};',
     'zone "{}" IN {{ type master; }};',
     "{} CNAME .", "{} CNAME *.", "{} 60 IN CNAME .", "*.{} CNAME . ; c", "{} CNAME rpz-drop.", "  CNAME .",
     "  A 192.0.2.1", "{} A 192.0.2.1", "@ SOA a. b. ( 1", " 2 )", "$ORIGIN rpz.test.",
     "$ORIGIN sub.rpz.test.", "604800",
     "{} # expires=2026-12-31", "0.0.0.0 {} # Expires=2026-12-31T00:00:00Z", "*.{} # expires=soon",
     "", "# c", "; c", "! c", "{} TXT (", ")"]
)  # fmt: skip
LINES = st.lists(st.tuples(SHAPE, NAME).map(lambda pair: pair[0].format(pair[1])), max_size=12)
ENDS = st.sampled_from(["", "$ORIGIN rpz.test.\n", "@ SOA x. y. 1 2 3 4 5\n"])


def slow(data, form):
    """What the reader alone makes of it: names with codes, and reasons."""
    reader = Reader(form, zone_of(data) if form in ("auto", "rpz") else "")
    skipped: Counter[str] = Counter()
    found = set()
    for line in data.split(b"\n")[:-1]:
        reading = reader.read(line.decode("utf-8", "replace"))
        if isinstance(reading, str):
            skipped[reading] += 1
            continue
        for rule in reading:
            if rule.suffix:
                found.add((rule.suffix[:-1].encode(), layout.BELOW, layout.RECORD))
            elif rule.match != "pattern" and rule.trigger == "qname":
                code = layout.code_of(rule.effect, "deny")
                is_plain = rule.zone == (code >= layout.NXDOMAIN) and rule.terms is None
                plain = code if is_plain else layout.RECORD
                found.add((rule.name[:-1].encode(), layout.MATCHES[rule.match], plain))
    return found, skipped


def fast(data, form):
    scan = Scan(ListSpec("l", "", format=form), 0, SECRET)
    scan.read(data)
    scan.finish(len(data))
    prints = bytes(scan.prints)
    lows = [int(low) for part in scan.lows for low in part]
    return {
        (prints[8 * n : 8 * n + 8], low >> 35 & 3, low >> 32 & 7)
        for n, low in enumerate(lows)
        if low >> 35 & 3  # but for empty non-terminals, which no line is about
    }, scan


def print_of(name):
    one = layout.hasher(SECRET)
    one.update(name)
    return one.digest()


def agree(data, form):
    entries, skipped = slow(data, form)
    found, scan = fast(data, form)
    unspelled = {(print_of(name), match, layout.RECORD) for name, match, _ in entries}
    wanted = {(print_of(name), match, code) for name, match, code in entries}
    assert scan.skipped == skipped
    assert found - unspelled == wanted & found - unspelled  # no entry that the reader has not
    assert {one[:2] for one in found} == {one[:2] for one in wanted}
    assert scan.lines == data.count(b"\n")


@given(ENDS, LINES, st.sampled_from(FORMS))
@example("", ["1.2.3.4 CNAME .", "  CNAME ."], "auto")
def test_fast_and_slow_agree(head, lines, form):
    agree((head + "".join(f"{line}\n" for line in lines)).encode(), form)


@pytest.mark.parametrize("name", [
    "adblock_adguard_sdn_filter_2019.txt", "dnsmasq_hagezi_adaway_2022.conf", "hosts_stevenblack_2019.hosts",
    "rpz_macos_2018.db", "rpz_small_2015.db", "rpz_ubuntu_2026.db", "maltrail_emotet_2026.txt",
])  # fmt: skip
def test_fast_and_slow_agree_on_real_lists(name):
    agree(shared("blocklist_formats").joinpath(name).read_bytes().rstrip(b"\n") + b"\n", "auto")


def test_repeated_hostile_lines_do_not_explode():
    line = b"a." * 60 + b"!" * 4000 + b"\n"
    scan = Scan(ListSpec("l", ""), 0, SECRET)
    scan.read(line * 300)
    assert scan.skipped.total() == 300


OCTETS = st.one_of(
    st.binary(max_size=400),
    st.sampled_from(
        [b"a.test\n", b"0.0.0.0 ", b"127.0.0.1\t", b"||", b"*.", b"^", b"\r\n", b"\n", b"\0", b".", b"-", b"_", b" ",
         b"A.B", b"localhost", b"ip6-a.test\n", b"a." * 127, b"b" * 63, b"c" * 64, b"xn--a.test\r\n", b"\xff",
         b"0.0.0.0", b"a.b1\n", b"@ SOA a. b. ( 1\n", b" CNAME .\n", b"$ORIGIN rpz.test.\n", b" )\n"]
    ),
)  # fmt: skip
BROKEN = st.lists(OCTETS, max_size=30).map(b"".join)
MIXED = st.tuples(ENDS, LINES).map(lambda pair: (pair[0] + "\n".join(pair[1])).encode())
helper = native.load("namewarden.policy._scan")
needs_helper = pytest.mark.skipif(helper is None, reason="the C helper was not built")


def read_by(pure, data, spec):
    """All that a scan says, whatever order its entries have."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NAMEWARDEN_PURE", pure)
        scan = Scan(spec, 4096, SECRET, Popular(["x.a.test", "y.a.test", *["test"] * 98]))
    scan.read(data + b"\n")
    blob = scan.finish(len(data) + 5000)
    prints, lows, sums = bytes(scan.prints), np.concatenate(scan.lows), np.concatenate(scan.sums)
    rows = sorted(zip(np.frombuffer(prints, "<u8"), lows, sums, strict=True))
    counts = scan.lines, scan.rules, scan.skipped, scan.refused
    return rows, counts, scan.patterns, scan.exact, scan.below, blob, scan.rows


@needs_helper
@given(st.one_of(MIXED, BROKEN, st.tuples(MIXED, BROKEN).map(b"\n".join)), st.sampled_from(FORMS),
       st.sampled_from(["deny", "allow", "guard"]))  # fmt: skip
@example(b"a.test\n" * 3 + b"@ SOA a. b. ( 1\nb.test\n 2 )\nc.test\n", "auto", "deny")
def test_the_helper_reads_as_its_twin(data, form, kind):
    spec = ListSpec("l", "", kind, form)
    assert read_by("0", data, spec) == read_by("1", data, spec)


@needs_helper
@pytest.mark.parametrize(
    "name", [b"", b"a", b"a.b", b"\0.\xff", b"x" * 127, b"y" * 128, b"z." * 200]
)
def test_marks_are_those_of_the_twin(name, monkeypatch):
    helped = Scan(ListSpec("l", ""), 0, SECRET)._marks([name])
    monkeypatch.setenv("NAMEWARDEN_PURE", "1")
    plain = Scan(ListSpec("l", ""), 0, SECRET)._marks([name])
    assert [bytes(part) for part in helped] == [bytes(part) for part in plain]


@needs_helper
@pytest.mark.parametrize(
    "line", [b"a.test", b"||a.test^", b"*.a.test\r", b"0.0.0.0 a.test", b"127.0.0.1\tA.Test "]
)
def test_the_helper_reads_the_plain_lines(line):
    assert helper
    rows = helper.Rows(SECRET)
    text = (line + b"\n") * 3
    assert rows.read(text + line, 0, 0, (1, 1, 1, 1), b"") == (len(text), 3)
    assert rows.read(text, len(text), 0, (1, 1, 1, 1), b"") == (len(text), 0)
    wide = print_of(b"a.test")
    assert rows.read(text, 0, 0, (1, 1, 1, 1), print_of(b"") + wide) == (0, 0)
    assert len(rows.take()) == 72
    assert rows.take() == b""
    for wrong in (-1, len(text) + 1):
        with pytest.raises(ValueError, match="begins"):
            rows.read(text, wrong, 0, (1, 1, 1, 1), b"")
    with pytest.raises(TypeError):
        rows.add([b"a", "b"])
    with pytest.raises(ValueError, match="32"):
        helper.Rows(b"short")
