"""What a feed has dropped holds so many days longer, and says until when."""

import msgspec
import pytest

from namewarden.policy import decide
from namewarden.policy.compile import compile_snapshot
from namewarden.policy.decide import Policy
from namewarden.policy.keep import with_kept
from namewarden.policy.terms import Asked
from tests.policy.made import SECRET, said, spec_of

DAY = 86_400.0
NOW = 1798675200.0  # 2026-12-31T00:00:00Z


def kept(text, before, limit=1000):
    made, count = with_kept(text, before, NOW + DAY, NOW, limit)
    assert made.startswith(text)
    return made[len(text) :].decode().splitlines(), count


UNTIL = "  # kept, expires=2027-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("text", "before", "lines"),
    [
        (b"a.test\n", b"a.test\nb.test\n", [f"b.test{UNTIL}"]),
        (b"A.test # seen again\n", b"a.test\n", []),
        (b"a.test\n", b"# of yesterday\n! x\n\n0.0.0.0 b.test # C2\n", [f"0.0.0.0 b.test{UNTIL}"]),
        (b"a.test\n", b"b.test # expires=2026-12-31\n", ["b.test # expires=2026-12-31"]),
        (b"a.test\n", b"b.test # expires=2026-12-30\nc.test # expires=soon\n", []),
        (b"a.test\n", b"b.test\nb.test\n", [f"b.test{UNTIL}"]),
        (b"a.test\n", b"", []),
    ],
)
def test_what_was_dropped_follows_with_its_time(text, before, lines):
    assert kept(text, before) == (lines, len(lines))


def test_there_is_a_bound_and_what_was_dropped_first_goes():
    before = b"new.test\nold.test # kept, expires=2027-01-01\n"
    assert kept(b"a.test\n", before, 60) == ([f"new.test{UNTIL}"], 1)


def test_an_indicator_that_a_feed_drops_is_blocked_for_some_days_more(tmp_path):
    spec = spec_of(tmp_path, {"feed": "a.test\nb.test\n"}, form="domains")
    spec = msgspec.structs.replace(spec, lists=(msgspec.structs.replace(spec.lists[0], keep=7),))
    snapshot = None
    texts = ["a.test\nb.test\n", "a.test\n", "a.test\n", "c.test\n"]
    for day, text in enumerate(texts):
        (tmp_path / "feed.txt").write_text(text)
        path = tmp_path / f"{day}.snap"
        snapshot = compile_snapshot(spec, SECRET, path, previous=snapshot, now=NOW + day * DAY)
    assert snapshot is not None
    assert said(snapshot, "b.test.") == ["feed:3 b.test  # kept, expires=2027-01-08T00:00:00Z"]
    assert said(snapshot, "a.test.") == ["feed:2 a.test  # kept, expires=2027-01-10T00:00:00Z"]
    assert (snapshot.report[0].kept, snapshot.report[0].rules) == (2, 3)
    policy = Policy(snapshot)
    spoken = [decide.lists(policy, "b.test.", Asked("default", NOW + day * DAY)) for day in (7, 8)]
    assert [one and one.action for one in spoken] == ["block", None]

    plain = msgspec.structs.replace(spec, lists=(msgspec.structs.replace(spec.lists[0], keep=0),))
    again = compile_snapshot(plain, SECRET, tmp_path / "plain.snap", previous=snapshot)
    assert said(again, "b.test.") == [] and again.report[0].kept == 0


def test_what_is_kept_stays_while_the_file_is_the_same_or_gone(tmp_path):
    spec = spec_of(tmp_path, {"feed": "a.test\nb.test\n", "other": "x.test\n"}, form="domains")
    feed = msgspec.structs.replace(spec.lists[0], keep=7)
    spec = msgspec.structs.replace(spec, lists=(feed, spec.lists[1]))
    one = compile_snapshot(spec, SECRET, tmp_path / "1.snap", now=NOW)
    (tmp_path / "feed.txt").write_text("a.test\n")
    two = compile_snapshot(spec, SECRET, tmp_path / "2.snap", previous=one, now=NOW)
    (tmp_path / "other.txt").write_text("y.test\n")
    three = compile_snapshot(spec, SECRET, tmp_path / "3.snap", previous=two, now=NOW + DAY)
    (tmp_path / "feed.txt").unlink()
    four = compile_snapshot(spec, SECRET, tmp_path / "4.snap", previous=three, now=NOW + DAY)
    found = [said(each, "b.test.") for each in (two, three, four)]
    assert found == [["feed:2 b.test  # kept, expires=2027-01-07T00:00:00Z"]] * 3
    assert (three.report[0].kept, four.report[0].kept, four.report[0].stale) == (1, 1, True)
