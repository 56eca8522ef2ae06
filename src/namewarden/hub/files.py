"""What the lists' files are: a look costs a `stat` of each, and only what looks otherwise is read."""

import hashlib
import os
import stat
from collections.abc import Mapping, Sequence

from namewarden.policy.source import LIMIT
from namewarden.policy.spec import ListSpec

Known = dict[str, tuple[str, str]]  # by path: what a file looks like, what it holds


def looks(lists: Sequence[ListSpec]) -> str:
    """What the files look like from outside."""
    return "\n".join(f"{entry.path}:{_look(entry.path)}" for entry in lists)


def contents(lists: Sequence[ListSpec], known: Mapping[str, tuple[str, str]]) -> Known:
    """What they hold. `known`: as it was before."""
    found: Known = {}
    for path in {entry.path for entry in lists}:
        outside = _look(path)
        before = known.get(path)
        found[path] = before if before and before[0] == outside else (outside, _content(path))
    return found


def _look(path: str) -> str:
    try:
        state = os.stat(path)
    except OSError as problem:
        return str(problem.strerror)
    return f"{state.st_mtime_ns}:{state.st_size}:{state.st_ino}"


def _content(path: str) -> str:
    """A digest; in words where the compiler would not read it either."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            state = os.fstat(handle)
            if not stat.S_ISREG(state.st_mode) or state.st_size > LIMIT:
                return "no list"
            return hashlib.file_digest(file, "blake2b").hexdigest()
    except OSError as problem:
        return str(problem.strerror)
