"""The replay on made-up names: what is drawn, what is asked, what is counted. No real list is needed."""

import os
import random
import shutil
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from bench.processes import LOAD_CORE, BenchError, free_port
from bench.replay import __main__ as replay
from bench.replay import names, page, stub
from bench.replay.count import JudgedName, join, mean, quantile, queries, tally
from bench.replay.firewall import LoggedEvent, firewall
from bench.replay.names import AskedName, Bucket, Drawer, Lessons
from bench.replay.special import SPECIAL
from bench.replay.stub import Stub
from namewarden.detector.label import Labels
from namewarden.detector.model import Model
from namewarden.training.data import Corpus

TEN = [
    "learned.example.org", "www.garden.net", "threshold.com", "unknown.com", "xqzkvjwqpz.info",
    "customer.netlify.app", "vidroish.example.net", "lone", "_dmarc.com", "bad name.com",
]  # fmt: skip
MANIFEST = msgspec.structs.replace(Model().manifest, families=("suppobox",))
CORPUS = Corpus(
    benign={"train": ["garden", "mail"], "calibration": ["threshold"], "test": []},
    single=[],
    known={"train": {"family": ["xqzkvjwqpz"]}, "calibration": {}, "test": {}},
    choose={"vidro": ["qkzvxjwq"]},
    unseen={},
)


def event(name: str, action: str, reason: str, band: str = "", at: float = 1.0, count: int = 1):
    return LoggedEvent(name + ".", at, action, reason, "FORWARDED", 0.9, band, "abc", 0.002, count)


def judged(
    bucket: str, action: str, reason: str, band: str = "", private: bool = False
) -> JudgedName:
    asked = AskedName("x.net", "generated", bucket, "never seen", private)
    return JudgedName(asked, event("x.net", action, reason, band), 0.002)


@pytest.fixture
def lessons() -> Lessons:
    return Lessons(Labels(["example.net"]), CORPUS)


def test_a_name_carries_what_the_model_knew_of_it(lessons: Lessons):
    known = {name: lessons.ask(name, "benign", "b").known for name in TEN}
    assert known["www.garden.net"] == known["xqzkvjwqpz.info"] == "learned"
    assert known["threshold.com"] == "thresholds"
    assert known["unknown.com"] == known["vidroish.example.net"] == "never seen"
    assert known["lone"] == known["_dmarc.com"] == "not scored"
    assert lessons.ask("customer.netlify.app", "benign", "b").is_private
    assert lessons.ask("unknown.com", "generated", "vidro").known == "chosen by"


def test_a_generated_name_may_be_judged_by_its_providers_label(lessons: Lessons):
    assert lessons.ask("qzxvkj.threshold.com", "generated", "family").known == "a site's"
    assert lessons.ask("qzxvkj.garden.com", "generated", "family").known == "a site's"


def test_below_a_cloud_a_learned_word_is_new(lessons: Lessons):
    assert lessons.ask("garden.netlify.app", "benign", "b").known == "never seen"


def test_a_name_is_drawn_once_and_goes_to_the_first_bucket(lessons: Lessons):
    drawer = Drawer(lessons, random.Random(1), 1.0)
    assert drawer.take(TEN, 3, "benign", "first") == 3
    assert drawer.take(TEN, 100, "benign", "second") == 6
    drawn = drawer.mixed()
    assert sorted(each.name for each in drawn) == sorted(set(TEN) - {"bad name.com"})
    assert sum(each.bucket == "first" for each in drawn) == 3


def test_what_was_generated_is_in_no_other_bucket(lessons: Lessons):
    drawer = Drawer(lessons, random.Random(1), 1.0)
    drawer.leave_out(TEN[:-2])
    assert drawer.take(TEN, 100, "benign", "popular") == 1


def test_a_family_is_mostly_names_not_learned_from(lessons: Lessons):
    drawer = Drawer(lessons, random.Random(1), 4 / names.PER_FAMILY)
    drawer.family(
        "family",
        ["xqzkvjwqpz.com", "xqzkvjwqpz.net", "xqzkvjwqpz.org", "a1b2.com", "c3d4.com", "e5f6.com"],
    )
    assert [each.known for each in drawer.mixed()].count("learned") == 1
    assert len(drawer.mixed()) == 4


def test_ranks_and_columns_are_read(lessons: Lessons, tmp_path: Path):
    (tmp_path / "ranked.tsv").write_text("one.com\ta\ntwo.com\tlegit\nTHREE.com\tb\nfour.com\tb\n")
    drawer = Drawer(lessons, random.Random(1), 1.0)
    drawer.bucket(Bucket("b", 10, ["ranked.tsv"], last=2), tmp_path)
    assert sorted(each.name for each in drawer.mixed()) == ["one.com", "three.com"]


def test_every_special_name_can_be_asked():
    assert [name for name in SPECIAL if not names.is_askable(name)] == []
    assert len(set(SPECIAL)) == len(SPECIAL)


def test_without_the_data_it_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert replay.main(["--data", str(tmp_path)]) == 1
    assert "train_dga.tsv.gz" in capsys.readouterr().err.replace("\n", "")


def test_the_newest_event_counts():
    asked = [AskedName("a.com", "benign", "b", "learned")]
    events = [
        event("a.com", "review", "model_uncertain", at=2.0),
        event("a.com", "allow", "model_late"),
    ]
    assert join(asked, events)[0].event.action == "review"
    assert queries(asked, [*events, event("other.com", "allow", "none", count=7)]) == 2


def test_a_name_without_event_is_an_error():
    with pytest.raises(BenchError, match=r"1 names have no event, a\.com"):
        join([AskedName("a.com", "benign", "b", "learned")], [])


def test_actions_and_reasons_are_counted():
    found = tally(
        [judged("f", "block", "model_malicious", "malicious"),
         judged("f", "review", "model_uncertain", "uncertain"),
         judged("f", "allow", "guard", "malicious"),
         judged("f", "allow", "guard", "malicious", private=True),
         judged("g", "allow", "model_benign", "benign")],
        lambda each: (each.asked.bucket,),
    )  # fmt: skip
    line = found["f",]
    assert (line.names, line.blocked, line.stopped, line.blocked_unguarded) == (4, 0.25, 0.5, 2)
    assert line.reasons == {"model_malicious": 1, "model_uncertain": 1, "guard": 2}
    assert mean(found, lambda line: line.blocked) == 0.125


def test_quantiles():
    assert quantile([], 0.5) == 0.0
    assert quantile([float(n) for n in range(100)], 0.99) == 99.0


@pytest.fixture
def run() -> page.ReplayRun:
    return page.ReplayRun(
        "command", "today", "machine", 1000.0, MANIFEST,
        [judged("suppobox", "allow", "model_benign"), judged("vidro", "block", "model_malicious")],
        2, 0, 2, 0, 0, {"NOERROR": 2},
    )  # fmt: skip


def test_page_has_every_part(run: page.ReplayRun):
    text = page.render(run)
    assert "2 different names at 1,000 a second: 2 queries sent" in text
    assert "| learned from | suppobox | never learned | 1 | 1 | 0 | 0 | 0 | 0 | 0.0% |" in text
    assert "| chosen by | vidro | never learned | 1 | 0 | 0 | 0 | 1 | 0 | 100.0% |" in text
    assert "| all | 2 | 2.00 | 2.00 |" in text


def test_only_what_is_between_the_markers_changes(run: page.ReplayRun, tmp_path: Path):
    written = tmp_path / "replay.md"
    written.write_text(f"# Replay\n\nprose\n\n{page.MARKERS[0]}\nstale\n{page.MARKERS[1]}\n")
    page.write(run, written)
    assert "prose" in written.read_text() and "stale" not in written.read_text()


def test_who_does_not_answer_is_given_up_on(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stub, "PATIENCE", 0.05)
    with Stub(free_port(), rate=1000) as asking:
        asking.ask(["a.com", "b.com"])
    assert sorted(asking.account.unanswered) == ["a.com", "b.com"]
    assert asking.account.datagrams == 2 * stub.ATTEMPTS
    assert asking.account.again == 2 * (stub.ATTEMPTS - 1)


@pytest.mark.skipif(not all(map(shutil.which, ("nsd", "taskset"))), reason="needs the package nsd")
@pytest.mark.skipif(LOAD_CORE not in os.sched_getaffinity(0), reason="needs two cores")
def test_ten_names_through_the_real_product(lessons: Lessons, tmp_path: Path):
    asked = [lessons.ask(name, "benign", "b") for name in TEN if names.is_askable(name)]
    with firewall(tmp_path) as product:
        found = replay.ask(product, asked, 1000.0, "command", Console(quiet=True))
    assert found.stored == found.datagrams == len(asked) and found.dropped == 0
    reasons = {each.asked.name: each.event.reason for each in found.judged}
    assert reasons["lone"] == "special" and reasons["_dmarc.com"] == "unscored"
    assert reasons["xqzkvjwqpz.info"] in ("model_malicious", "model_uncertain")
    assert {each.event.model for each in found.judged} - {""} == {found.manifest.digest[:12]}
