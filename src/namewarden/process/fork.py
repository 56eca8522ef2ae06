"""A child process of the supervisor, forked: it shares what the supervisor has loaded, and nothing else.

Only a process of one thread forks well, so the supervisor has one, and what makes threads is started by children.
"""

import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import NoReturn

# Handlers of the supervisor that must not run in a child, not even for the moment before they are reset.
OURS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
Main = Callable[[], int]


def forked(main: Main, title: Sequence[str], keep: set[int]) -> int:
    """Run `main` in a child and end it with the status that comes back; the child's process id.

    Of the open files the child has the standard ones and `keep`.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, OURS)
    try:
        if child := os.fork():
            return child
        _be(main, title, keep)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _be(main: Main, title: Sequence[str], keep: set[int]) -> NoReturn:
    status = 1
    try:
        _let_go(keep)
        _name(title)
        status = main()
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _let_go(keep: set[int]) -> None:
    """Of the supervisor's signals, its standard input and its files."""
    signal.set_wakeup_fd(-1)
    # At a terminal these two reach the whole group; what follows is for the supervisor alone to say.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, OURS)
    for number in {int(name) for name in os.listdir("/dev/fd")} - keep - {0, 1, 2}:
        with contextlib.suppress(OSError):
            os.close(number)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def _name(title: Sequence[str]) -> None:
    """What `ps` shows: written over the supervisor's arguments, as far as there is room."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        with open("/proc/self/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        begin, end = int(fields[45]), int(fields[46])  # arg_start and arg_end of proc(5)
        text = "\0".join(title).encode() + b"\0"
        with open("/proc/self/mem", "r+b", buffering=0) as memory:
            memory.seek(begin)
            memory.write(text[: end - begin - 1].ljust(end - begin, b"\0"))
