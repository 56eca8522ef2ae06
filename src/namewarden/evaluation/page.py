"""Markdown: tables, shares, and what stands between two markers of a page."""

from collections.abc import Iterable, Sequence
from pathlib import Path

NOT_MEASURED = "not measured"
COLUMNS = ("FPR 1e-2", "FPR 1e-3", "FPR 1e-4")
MARKERS = ("<!-- evaluate:begin, written by `make evaluate` -->", "<!-- evaluate:end -->")


class PageError(Exception):
    """A page that cannot be written into; says why."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def percent(share: float) -> str:
    """Two figures that count, at least one place: 97.3 %, 0.94 %, 0.011 %."""
    places = (
        1 if share >= 0.01 or share == 0 else 2 if share >= 0.001 else 3 if share >= 0.0001 else 4
    )
    return f"{100 * share:.{places}f} %"


def between(low: float, high: float) -> str:
    return f"{percent(low)[:-2]}–{percent(high)}"


def check(page: Path) -> None:
    """Before what takes minutes: PageError when the page has no markers."""
    _parts(page)


def put(page: Path, text: str) -> None:
    """Replace what is between the markers of the page. PageError when they are not there."""
    before, after = _parts(page)
    begin, end = MARKERS
    page.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}", encoding="utf-8")


def _parts(page: Path) -> tuple[str, str]:
    """What is before and after the markers."""
    begin, end = MARKERS
    old = page.read_text(encoding="utf-8") if page.is_file() else ""
    before, found, rest = old.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise PageError(f"{page}: it has no lines {begin} and {end}")
    return before, after
