"""`lists check` says of every line what it became; its totals are the compiler's."""

import pytest

from namewarden.policy.check import check, totals
from namewarden.policy.errors import ListError
from namewarden.policy.patterns import COUNT_LIMIT
from tests.policy.made import snapshot_of

TEXT = """\
# head
||bad.example^
||bad.example^$script
*.worse.example
@@||good.example^
z.example 60 A 192.0.2.1
/^x[0-9]/

198.51.100.7:443
"""


def test_each_line_is_told(tmp_path):
    path = tmp_path / "l.txt"
    path.write_text(TEXT)
    assert [line.says for line in check(path)] == [
        ["skipped: comment"],
        ["bad.example.  the name and all below  the list's kind"],
        ["skipped: option"],
        ["worse.example.  the name and all below  the list's kind"],
        ["good.example.  the name and all below  allowed"],
        ["z.example.  the name alone  answers A 192.0.2.1"],
        ["^x[0-9]  names the expression finds  the list's kind"],
        ["skipped: blank"],
        ["skipped: address"],
    ]


def test_what_else_triggers_a_zone_is_told(tmp_path):
    path = tmp_path / "z.txt"
    path.write_text(
        "$ORIGIN rpz.test.\n32.1.2.0.192.rpz-ip CNAME .\n24.0.2.0.192.rpz-client-ip CNAME rpz-passthru.\n"
        "*.bad.example.rpz-nsdname CNAME *.\n48.zz.1.db8.2001.rpz-nsip CNAME rpz-drop.\n$INCLUDE more\n"
        "x.example CNAME rpz-unsupported.\n"
    )
    assert [line.says for line in check(path)] == [
        ["skipped: header"],
        ["192.0.2.1/32  as an answer's address  nxdomain"],
        ["192.0.2.0/24  as who asks  allowed"],
        ["*.bad.example.  as a name server  nodata"],
        ["2001:db8:1::/48  as a name server's address  drop"],
        ["skipped: include"],
        ["skipped: action"],
    ]


def test_totals_are_the_compilers(tmp_path):
    report = snapshot_of(tmp_path, {"l": TEXT}).report[0]
    counted = totals(check(tmp_path / "l.txt"))
    assert (counted.lines, counted.rules, dict(counted.skipped)) == (
        report.lines,
        report.rules,
        report.skipped,
    )
    assert counted.odd == 2


def test_hostile_lines_are_escaped(tmp_path):
    (tmp_path / "l.txt").write_bytes(b"\x1b[2J<script>\n")
    assert [line.text for line in check(tmp_path / "l.txt")] == [r"\027[2J<script>"]


def test_a_file_that_is_no_list_is_an_error(tmp_path):
    with pytest.raises(ListError, match="cannot be read"):
        check(tmp_path / "gone")


def test_totals_are_the_compilers_where_there_is_no_room_for_all(tmp_path):
    text = "".join(f"/^x{n}y/\n" for n in range(COUNT_LIMIT + 5)) + TEXT
    report = snapshot_of(tmp_path, {"l": text}).report[0]
    counted = totals(check(tmp_path / "l.txt"))
    assert (counted.rules, dict(counted.skipped)) == (report.rules, report.skipped)
    assert report.skipped["pattern"] == 6


def test_what_was_skipped_has_more_to_say(tmp_path):
    path = tmp_path / "l.txt"
    path.write_text("||a.example^$third-party,important\n/a{2000}/\nplain.example\n")
    assert [(line.reason, line.why) for line in check(path)] == [
        ("option", "third-party"),
        ("pattern", "invalid repetition size: {2000}"),
        ("", ""),
    ]
