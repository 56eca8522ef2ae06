"""Patterns that others wrote: RE2 only (linear time), bounded in length, number and memory.

A pattern is searched in the lower-case name without its final dot. One that matches the empty name would
match every name, so it is refused as the mistake or attack it is.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import re2

LENGTH_LIMIT = 512  # longer ones in the public lists are generated and belong in a name list
COUNT_LIMIT = 10_000  # of one snapshot
PATTERN_MEMORY = 256 * 1024  # of one pattern, compiled
SET_MEMORY = 64 * 1024 * 1024  # of all, with RE2's cache of states


def options(memory: int) -> Any:
    made = re2.Options()
    made.max_mem = memory
    made.log_errors = False
    made.case_sensitive = False
    made.never_capture = True
    return made


@lru_cache(maxsize=1)
def _options_of_one() -> Any:
    return options(PATTERN_MEMORY)


def is_usable(source: str, may_match_all: bool = False) -> bool:
    """Whether RE2 takes it within bounds and it does not match everything."""
    return not fault(source, may_match_all)


def fault(source: str, may_match_all: bool = False) -> str:
    """Why it is not usable, for people; "" where it is."""
    if len(source) > LENGTH_LIMIT:
        return f"it is longer than {LENGTH_LIMIT} letters"
    if not source or not source.isprintable():
        return "it is empty, or not printable"
    try:
        found = re2.compile(source, _options_of_one()).search("")
    except re2.error as error:
        said = error.args[0] if error.args else b""
        return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return "" if may_match_all or found is None else "it matches every name"


@lru_cache(maxsize=4096)
def _compiled(source: str) -> Any:
    return re2.compile(source, _options_of_one())


def finds(source: str, name: str) -> bool:
    """Whether one expression finds a name (FQDN)."""
    return _compiled(source).search(name.removesuffix(".")) is not None


class PatternSet:
    """Many patterns asked at once: `search(name)` gives the places of those that match, in order."""

    def __init__(self, sources: Sequence[str]) -> None:
        self.sources = sources
        self._set: Any = None
        if sources:
            made: Any = re2.Set.SearchSet(options(SET_MEMORY))
            for source in sources:
                made.Add(source)
            made.Compile()
            self._set = made

    def search(self, name: str) -> list[int]:
        if self._set is None:
            return []
        return sorted(self._set.Match(name.removesuffix(".")) or ())
