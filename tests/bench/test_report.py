import json
from pathlib import Path

import pytest

from bench import report
from bench.decision import Decisions
from bench.load import Load
from bench.marks import judge
from bench.memory import ServerMemory, Starts
from bench.new_names import Overload, Step
from bench.results import Results
from bench.swap import Swaps
from bench.workloads import Kept, Miss, Round


def a_round(
    server: str, rate: float, workload: str = "blocked-warm", kept: Kept | None = None
) -> Round:
    return Round(workload, server, 0, Load(1000, 1000, 0, rate, 0.001), kept)


@pytest.fixture
def results() -> Results:
    found = Results("make bench", "2026-01-02 03:04 UTC", "a machine", 1_000_000, 10.0, 2000.0)
    found.rounds = [
        a_round("unbound-rpz", 100_000),
        a_round("unbound-rpz", 120_000),
        a_round("unbound-rpz", 90_000),
        a_round("namewarden", 90_000, kept=Kept(1000, 1000, 0, 0.4)),
    ]
    return found


def reached(results: Results, what: str) -> bool | None:
    return next(mark.reached for mark in judge(results) if mark.what == what)


def test_ratio_is_of_medians(results: Results):
    assert results.ratio("blocked-warm", "namewarden") == pytest.approx(0.9)
    assert results.ratio("cached-warm", "namewarden") is None
    assert "| 90,000 (90,000–90,000) | 0.90 |" in report.render(results)
    assert "| 100,000 (90,000–120,000) | 1.00 |" in report.render(results)


def test_lossy_round_is_named_and_left_out(results: Results):
    results.rounds.append(Round("blocked-warm", "namewarden", 1, Load(1000, 900, 100, 1.0, 0.1)))
    assert results.ratio("blocked-warm", "namewarden") == pytest.approx(0.9)
    assert "namewarden, blocked-warm round 2: 100 of 1,000 lost" in report.render(results)


def test_marks_are_judged(results: Results):
    assert reached(results, "blocked-warm against unbound-rpz") is False
    assert reached(results, "cached-warm against unbound-rpz") is None
    assert reached(results, "events stored = queries answered") is True
    results.rounds.append(a_round("namewarden", 90_000, kept=Kept(1000, 999, 1, 0.4)))
    assert reached(results, "events stored = queries answered") is False
    assert reached(results, "events dropped") is False


def test_added_latency_is_against_the_same_round(results: Results):
    results.misses = [
        Miss("", 0, 0.001, 0.002, 1.0),
        Miss("", 1, 0.002, 0.003, 1.0),
        Miss("namewarden", 0, 0.0015, 0.004, 1.0),
        Miss("namewarden", 1, 0.0025, 0.010, 1.0),
    ]
    added = results.added("namewarden", "median", at_end=False)
    assert added is not None and added.median == pytest.approx(0.0005)
    assert results.added("namewarden", "median", at_end=True) is None
    assert reached(results, "a cache miss adds, freshly started, median") is True
    assert reached(results, "a cache miss adds, freshly started, p99") is False
    assert reached(results, "a cache miss adds, after the rounds, p99") is None
    assert "the upstream itself" in report.render(results)


def test_a_slow_reference_gives_a_miss_more_time(results: Results):
    results.misses = [
        Miss("", 0, 0.001, 0.002, 1.0, at_end=True),
        Miss("namewarden", 0, 0.0015, 0.008, 1.0, at_end=True),
        Miss("unbound-rpz", 0, 0.0012, 0.007, 1.0, at_end=True),
    ]
    marks = {mark.what: mark for mark in judge(results)}
    middle = marks["a cache miss adds, after the rounds, median"]
    assert (middle.must, middle.goal, middle.measured) == ("≤ 0.5 ms", "≤ 0.4 ms", "0.50 ms")
    tail = marks["a cache miss adds, after the rounds, p99"]
    assert (tail.must, tail.goal) == ("≤ 7.5 ms", "≤ 5 ms")
    assert (tail.reached, tail.reached_goal) == (True, False)


def test_new_names_are_reported_with_what_the_load_could_do(results: Results):
    results.ceiling = Step(64_000, 1.0, 0.0002, 0.001)
    results.new_names = [
        Step(8000, 1.0, 0.001, 0.005),
        Step(16_000, 0.98, 0.9, 2.0, late=300),
        Step(11_314, 1.0, 0.002, 0.009),
    ]
    results.overload = Overload(33_942, 10_748, 11_314, 80, 80, 0, 0.01)
    text = report.render(results)
    assert "| 64,000 | the upstream itself, the load generator's limit | 100.00% |" in text
    assert "| 16,000 | namewarden | 98.00% | 900.000 | 2000.000 | 300 | 0 | no |" in text
    assert "10,748 (95% of the rate kept up with)" in text
    assert (
        "| new names/s, all judged in time | ≥ 8,000 | ≥ 15,000 | 11,314 | yes | **no** |" in text
    )
    assert reached(results, "three times that: names judged in time, of that rate") is True
    assert reached(results, "who asks a little beside it") is True
    results.overload = Overload(33_942, 9_000, 11_314, 80, 79, 0, 2.0)
    assert reached(results, "three times that: names judged in time, of that rate") is False
    assert reached(results, "who asks a little beside it") is False


def test_decisions_are_reported(results: Results):
    results.decisions = Decisions(2_000_000, 0.02, 0.08, 300_000)
    assert "in force after, most | 80.0 ms" in report.render(results)
    assert reached(results, "a decision at 2,000,000 entries is in force after") is True
    assert reached(results, "a decision at 2,000,000 entries writes") is True


def test_swaps_are_reported(results: Results):
    results.swaps = Swaps(
        2_000_000, (0.004, 0.012), 0.003, 3.1, 250_000_000, 255_000_000, 200_000_000
    )
    text = report.render(results)
    assert "latest answer, most | 12.0 ms" in text
    assert reached(results, "2,000,000 entries swapped, the latest answer") is False
    assert reached(results, "2,000,000 entries swapped, memory with the compiler's") is True


def test_memory_is_reported(results: Results):
    some = ServerMemory(50_000_000, 30_000_000, 20_000_000, 3)
    results.starts = Starts(1_000_000, some, some, 60_000_000, 20_000_000, 4.0, 1.0, 1.5)
    assert "40.0 bytes an entry" in report.render(results)
    assert reached(results, "list memory") is False
    marks = {mark.what: mark for mark in judge(results)}
    idle = marks["memory of all processes, idle, no list (PSS)"]
    assert (idle.measured, idle.reached, idle.reached_goal) == ("50.00 MB", True, True)
    assert marks["ready with a warm snapshot"].reached is False


def test_only_what_is_between_the_markers_changes(results: Results, tmp_path: Path):
    page = tmp_path / "benchmarks.md"
    page.write_text(f"# Title\n\nprose\n\n{report.BEGIN}\nstale line\n{report.END}\n\n## After\n")
    report.write(results, page)
    report.write(results, page)
    text = page.read_text()
    assert text.startswith("# Title\n\nprose\n\n") and text.endswith(f"{report.END}\n\n## After\n")
    assert "stale line" not in text and text.count("a machine") == 1


def test_every_figure_is_kept(results: Results, tmp_path: Path):
    results.save(tmp_path / "raw" / "run.json")
    assert len(json.loads((tmp_path / "raw" / "run.json").read_text())["rounds"]) == 4
