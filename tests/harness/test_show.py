"""What people read: differences, quantiles and a histogram; nothing that an answer holds reaches the terminal raw."""

import io

import pytest
from rich.console import Console

from namewarden.harness.asking import Target
from namewarden.harness.cases import read
from namewarden.harness.expected import Found, Record
from namewarden.harness.run import Result
from namewarden.harness.show import histogram, progress, quantile, show


def shown(results):
    out = io.StringIO()
    show(Console(file=out, width=120), results, Target("127.0.0.1", 53), 2.0)
    return out.getvalue()


@pytest.fixture
def case(tmp_path):
    path = tmp_path / "names"
    path.write_text("a.example,TXT,,allow\n")
    return read(path)[0]


def test_the_nearest_rank():
    times = [float(number) for number in range(1, 101)]
    assert [quantile(times, part) for part in (50, 95, 99)] == [50, 95, 99]
    assert quantile([3.0], 50) == quantile([3.0], 99) == 3.0
    assert quantile([1.0, 2.0], 50) == 1.0 and quantile([1.0, 2.0], 99) == 2.0


def test_steps_of_the_histogram():
    assert histogram([0.001]) == [(0.001, 1)]
    assert histogram([0.00051, 0.001, 0.0049]) == [(0.001, 2), (0.002, 0), (0.005, 1)]
    assert histogram([0.0, 1e-6]) == [(1e-6, 2)]
    assert histogram([4.2, 60.0])[0] == (5.0, 1) and histogram([4.2, 60.0])[-1] == (100.0, 1)


def test_all_as_expected(case):
    good = [Result(case, Found("NOERROR"), "allow", "", 0.0004, 1)] * 3
    text = shown(good)
    assert "3 asked of udp://127.0.0.1:53 in 2.0 s, 0 other than expected" in text
    assert "latency: p50 400 µs, p95 400 µs, p99 400 µs, longest 400 µs" in text
    assert "≤ 500 µs" in text and "█" in text and "more" not in text


def test_differences_and_what_is_hostile_in_them(case):
    evil = Found("NOERROR", (Record("TXT", "[red]x[/red] \x1b[31m", b""),))
    other = Result(case, evil, "block", "expected allow", 0.5, 3)
    text = shown([other] * 60)
    assert "[red]x[/red]" in text and "\x1b" not in text
    assert text.count("a.example.") == 50 and "and 10 more" in text
    assert "60 other than expected, 120 tries more" in text


def test_nobody_answered(case):
    lost = Result(case, Found(problem="no answer"), "", "no answer", 4.0, 2)
    assert "latency" not in shown([lost])


def test_the_bar_is_for_terminals_only(case):
    for is_terminal in (True, False):
        out = io.StringIO()
        console = Console(file=out, force_terminal=is_terminal, width=80)
        with progress(console, 2) as told:
            told(Result(case, Found("NOERROR"), "allow", "", 0.1, 1))
            told(Result(case, Found("NOERROR"), "allow", "expected block", 0.1, 1))
        assert bool(out.getvalue()) is is_terminal
        assert ("1 other than expected" in out.getvalue()) is is_terminal
