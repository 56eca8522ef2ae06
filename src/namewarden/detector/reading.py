"""Names from a file or standard input for `namewarden score`, and a bar for who waits."""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from stat import S_ISREG
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

UTF8 = "utf-8-sig"  # the mark that some editors put before the first name is none of it
LONGEST = 4096  # characters: 253 of a name, four times as many where each is escaped, and blanks


@contextmanager
def reading(file: str) -> Iterator[TextIO]:
    """The lines of a file or of standard input, ended by LF alone: a CR within is the name's, and makes it an invalid
    one, as octets do that are no UTF-8."""
    if file == "-":
        sys.stdin.reconfigure(encoding=UTF8, errors="replace", newline="\n")  # type: ignore[union-attr]
        yield sys.stdin
    else:
        with open(file, encoding=UTF8, errors="replace", newline="\n") as opened:
            yield opened


def bounded(names: TextIO) -> Iterator[str]:
    """Its lines; of one longer than a name can be written the beginning, which is no name either."""
    while line := names.readline(LONGEST):
        yield line
        while line and not line.endswith("\n"):
            line = names.readline(LONGEST)


@contextmanager
def watching(names: TextIO) -> Iterator[Iterable[str]]:
    """Its lines, and a bar on standard error for who waits; none where results scroll by or nobody looks."""
    if not sys.stderr.isatty() or sys.stdout.isatty():
        yield bounded(names)
        return
    columns = (BarColumn(), TextColumn("{task.fields[said]}"), TimeRemainingColumn())
    began, count = time.monotonic(), 0
    found = os.fstat(names.fileno())
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=False) as progress:
        task = progress.add_task(
            "", total=found.st_size if S_ISREG(found.st_mode) else None, said=""
        )

        def tell(more: int, characters: int) -> None:
            nonlocal count
            count += more
            rate = count / max(time.monotonic() - began, 0.001)
            progress.update(task, advance=characters, said=f"{count:,} names, {rate:,.0f} a second")

        yield watched(bounded(names), tell)


def watched(
    names: Iterable[str], tell: Callable[[int, int], None], every: int = 1000
) -> Iterator[str]:
    """The same names; tells how many more were taken and how many characters they had."""
    count = characters = 0
    for name in names:
        count += 1
        characters += len(name)
        yield name
        if count == every:
            tell(count, characters)
            count = characters = 0
    tell(count, characters)
