"""One line must not block the world; what blocks a little of it is taken."""

import pytest

from namewarden.policy import decide
from namewarden.policy.broad import Popular, popular
from namewarden.policy.check import check, totals
from namewarden.policy.compile import compile_snapshot
from namewarden.policy.decide import Policy
from namewarden.policy.spec import ListSpec, SnapshotSpec
from namewarden.policy.terms import Asked
from namewarden.policy.walk import walk
from tests.policy.made import SECRET

NAMES = [f"n{number}.{'com' if number % 2 else 'net'}" for number in range(990)] + [
    f"n{number}.zip" for number in range(10)
]
FEW = Popular(NAMES)


def compiled(folder, text, kind="deny", broad=False):
    (folder / "l.txt").write_text(text + "\nx.test\n")
    spec = SnapshotSpec((ListSpec("l", str(folder / "l.txt"), kind, broad=broad),))
    return compile_snapshot(spec, SECRET, folder / "policy.snap", popular=FEW)


@pytest.mark.parametrize(
    ("line", "reach"),
    [
        ("||com^", 495),
        ("@@||com^", 495),
        (".com", 495),
        ("*.com", 495),
        ("address=/com/", 495),
        ('local-zone: "com" static', 495),
        ("*.com CNAME .", 495),
        ("* CNAME .", 1000),
        ("/.+/", 1000),
        ("/[a-z]/", 1000),
        ("^n1", 112),
        ("||n*.com^", 495),
        ("||com^$important", 495),
        ("||com^$client=192.0.2.1", 495),
        ("/^[^x]/$denyallow=net|zip", 495),
        ("*$denyallow=com|zip", 495),
        ("zip$;invert", 990),
    ],
)
def test_a_line_that_reaches_too_much_is_refused(tmp_path, line, reach):
    snapshot = compiled(tmp_path, line)
    report = snapshot.report[0]
    assert (report.rules, report.skipped, report.refused) == (1, {"broad": 1}, [(1, reach)])
    assert snapshot.find("n1.com.") == []
    assert [one.name for one in walk(Policy(snapshot), 1.0)] == ["x.test."]
    lines = list(check(tmp_path / "l.txt", popular=FEW))
    assert f"{reach:,} of the" in lines[0].says[0] and "broad = true" in lines[0].says[0]
    assert dict(totals(lines).skipped) == report.skipped
    assert compiled(tmp_path, line, broad=True).report[0].rules == 2


@pytest.mark.parametrize(
    "line",
    [
        "||zip^", ".zip", "address=/zip/", r"\.zip$", "||n1.com^", "com", "||com^$dnstype=HTTPS", "0.0.0.0 com",
        "/.*/$dnstype=~A|~AAAA", "server=/com/#", "*$denyallow=com|net", "||com^$badfilter", "n.zip|x.zip",
    ],
)  # fmt: skip
def test_a_line_that_reaches_little_is_taken(tmp_path, line):
    assert compiled(tmp_path, line).report[0].refused == []


@pytest.mark.parametrize(
    "line",
    [
        "127.0.0.1", "10.1.2.3", "192.168.0.0/16", "::1", "::", "fe80::7", "fd00::/8", "224.0.0.1", "169.254.7.7",
        "0.0.0.1", "8.0.0.0/7", "0.0.0.0/0", "::/0", "2000::/3", "64:ff9b::/96", "::ffff:0:0/96", "10.*", "*.8.8.8",
        "192.168.*.1", "127.*.*.1", "||10.0.0.1^$important", "255.255.255.255", "100.64.0.1",
    ],
)  # fmt: skip
def test_an_address_that_is_no_server_of_the_internet_is_refused(tmp_path, line):
    report = compiled(tmp_path, line).report[0]
    assert (report.rules, report.skipped, report.refused) == (1, {"broad": 1}, [(1, 0)])
    lines = list(check(tmp_path / "l.txt", popular=FEW))
    assert lines[0].says == ["skipped: broad"] and "broad = true" in lines[0].why
    assert compiled(tmp_path, line, broad=True).report[0].rules == 2
    assert compiled(tmp_path, line, kind="allow").report[0].rules == 2


@pytest.mark.parametrize(
    "line",
    [
        "8.8.8.8", "8.0.0.0/8", "192.0.2.0/24", "2001:db8::/32", "2001::/16", "64:ff9b::808:808", "9.255.255.255",
        "11.0.0.0", "172.32.0.1", "192.167.*", "8.*.*.8", "@@10.0.0.0/8", "223.255.255.255",
    ],
)  # fmt: skip
def test_an_address_of_a_server_is_taken(tmp_path, line):
    assert compiled(tmp_path, line).report[0].rules == 2


@pytest.mark.parametrize("line", ["/.*/", "/^.*$/", "@@/.*/", "/(ads)?/"])
def test_an_expression_that_finds_every_name_is_for_broad_lists(tmp_path, line):
    assert compiled(tmp_path, line).report[0].skipped == {"pattern": 1}
    snapshot = compiled(tmp_path, line, broad=True)
    verdict = decide.lists(Policy(snapshot), "n1.com.", Asked("default", 1.0))
    assert verdict is not None and verdict.action == ("allow" if line[0] == "@" else "block")
    assert [one.name for one in walk(Policy(snapshot), 1.0)][1] == "x.test."


def test_allow_lists_are_the_operators_own(tmp_path):
    assert compiled(tmp_path, "||com^", kind="allow").report[0].rules == 2


def test_a_list_that_becomes_broad_is_compiled_anew(tmp_path):
    before = compiled(tmp_path, "||com^")
    spec = SnapshotSpec((ListSpec("l", str(tmp_path / "l.txt"), broad=True),))
    after = compile_snapshot(spec, SECRET, tmp_path / "two.snap", previous=before, popular=FEW)
    assert decide.lists(Policy(after), "n1.com.", Asked("default", 1.0)) is not None


def test_a_line_deep_in_a_list_is_named_by_its_number(tmp_path):
    text = "\n".join([*(f"*.x{n}.test" for n in range(100)), "# c", "*.co.uk", "||y.test^"])
    (tmp_path / "l.txt").write_text(text + "\n")
    uk = Popular([f"n{number}.co.uk" for number in range(300)])
    spec = SnapshotSpec((ListSpec("l", str(tmp_path / "l.txt")),))
    report = compile_snapshot(spec, SECRET, tmp_path / "s.snap", popular=uk).report[0]
    assert (report.refused, report.rules, report.lines) == ([(102, 300)], 101, 103)
    assert report.lines == report.rules + sum(report.skipped.values())


def test_the_packaged_names():
    names = popular()
    assert len(names.names) == 10_000
    assert names.below("com.") > 4000 and names.below("zip.") == 0
    assert names.found([("[a-z]", None), (r"\.agency$", None)])[0] > 9_900
