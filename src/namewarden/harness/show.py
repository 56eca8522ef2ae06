"""Results for people: a bar while it lasts, then differences, latencies and their histogram."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from namewarden.harness.asking import Target
from namewarden.harness.run import Result

MOST = 50  # differences that are shown
WIDTH = 40  # of the longest bar
STEPS = (1, 2, 5)


@contextmanager
def progress(console: Console, count: int) -> Iterator[Callable[[Result], None]]:
    """A bar on a terminal, nothing elsewhere."""
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())  # fmt: skip
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("as expected", total=count)
        others = 0

        def told(result: Result) -> None:
            nonlocal others
            others += bool(result.difference)
            said = f"{others} other than expected" if others else "as expected"
            bar.update(task, advance=1, description=said)

        yield told


def show(console: Console, results: Sequence[Result], target: Target, seconds: float) -> None:
    others = [each for each in results if each.difference]
    if others:
        console.print(_differences(others))
        if len(others) > MOST:
            console.print(f"and {len(others) - MOST} more")
    said = f"{len(results)} asked of {target.text} in {seconds:.1f} s, {len(others)} other than expected"
    again = sum(each.tries - 1 for each in results)
    console.print(Text(said + (f", {again} tries more" if again else "")))
    times = sorted(each.seconds for each in results if not each.found.problem)
    if times:
        shown = ", ".join(f"p{part} {_text(quantile(times, part))}" for part in (50, 95, 99))
        console.print(Text(f"latency: {shown}, longest {_text(times[-1])}"))
        console.print(_histogram(times))


def _differences(others: Sequence[Result]) -> Table:
    table = Table("line", "name", "type", "subnet", "expected", "found", box=box.SIMPLE_HEAD)
    for each in others[:MOST]:
        case = each.case
        subnet = str(case.subnet or "")
        cells = case.name, case.qtype, subnet, case.expected.text, each.found.text
        table.add_row(str(case.line), *(Text(_plain(cell), overflow="fold") for cell in cells))
    return table


def _plain(text: str) -> str:
    """Nothing that moves a terminal's cursor."""
    return "".join(char if char.isprintable() else "?" for char in text)


def quantile(times: Sequence[float], part: int) -> float:
    """The nearest rank of rising times, at least one."""
    return times[max(math.ceil(len(times) * part / 100), 1) - 1]


def histogram(times: Sequence[float]) -> list[tuple[float, int]]:
    """(upper edge in seconds, how many) for 1-2-5 steps, from the first that has any to the last."""
    counts: dict[float, int] = {}
    for time in times:
        edge = _edge(time)
        counts[edge] = counts.get(edge, 0) + 1
    edges = [_at(place) for place in range(_place(min(counts)), _place(max(counts)) + 1)]
    return [(edge, counts.get(edge, 0)) for edge in edges]


def _edge(seconds: float) -> float:
    """The first of 1, 2, 5, 10 … µs that is not below."""
    place = 0
    while _at(place) < seconds:
        place += 1
    return _at(place)


def _at(place: int) -> float:
    return float(f"{STEPS[place % 3]}e{place // 3 - 6}")


def _place(edge: float) -> int:
    return next(place for place in range(60) if _at(place) >= edge)


def _histogram(times: Sequence[float]) -> Table:
    found = histogram(times)
    most = max(count for _, count in found)
    table = Table(box=None, show_header=False, padding=(0, 1))
    table.add_column(justify="right")
    table.add_column(justify="right")
    for edge, count in found:
        bar = "█" * math.ceil(count / most * WIDTH)
        table.add_row(f"≤ {_text(edge)}", str(count), bar)
    return table


def _text(seconds: float) -> str:
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
