"""How a process of ours begins and ends: its sockets, what tells it to end, and the end of its tasks."""

import asyncio
import ctypes
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import ExitStack, contextmanager
from typing import Any

import structlog

from namewarden.process.channel import Channel
from namewarden.process.paths import Paths, StartError
from namewarden.process.sockets import Role, Sockets
from namewarden.process.terminal import stamped
from namewarden.settings import Settings

SETTLED = 2.0  # seconds after the start
GIVE_BACK = 60.0  # seconds between; it takes a millisecond


class Ended(Exception):
    """Told to end: whatever still runs in the group is cancelled."""


@contextmanager
def ending() -> Iterator[None]:
    """Around a task group: its end is no error, and what kept it from starting is said as it is."""
    try:
        yield
    except* Ended:
        pass
    except* StartError as group:
        raise group.exceptions[0] from None


def until_told(channel: Channel | None) -> asyncio.Event:
    """Set by TERM, by Ctrl-C when nobody supervises, and by the supervisor's death."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    if channel:
        channel.watch(ended.set)
    else:
        loop.add_signal_handler(signal.SIGINT, ended.set)
    return ended


def take_sockets(
    settings: Settings, paths: Paths, channel: Channel | None, stack: ExitStack, role: Role
) -> dict[str, list[socket.socket]]:
    """The supervisor's, or own ones where there is none."""
    if channel:
        numbers = channel.sockets
    else:
        own = stack.enter_context(Sockets(settings, paths, role))
        numbers = own.of_hub() if role == "hub" else own.of_resolver(0)
    return {
        name: [socket.socket(fileno=number if channel else os.dup(number)) for number in group]
        for name, group in numbers.items()
    }


def log_plainly() -> None:
    """Logs go to standard error, in the form of all that is said there. Of a fault there is the traceback, without the
    values that were at hand: those are clients' and secrets."""
    structlog.configure(
        processors=[structlog.processors.format_exc_info, _line],
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    handler = logging.StreamHandler()
    handler.setFormatter(_Stamped("%(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _line(_logger: object, _method: str, said: MutableMapping[str, Any]) -> str:
    text, trace = said.pop("event"), said.pop("exception", "")
    values = ", ".join(f"{name}={value}" for name, value in said.items())
    line = stamped(f"{text} ({values})" if values else str(text))
    return f"{line}\n{trace}" if trace else line


class _Stamped(logging.Formatter):
    """What libraries log, asyncio first of all."""

    def format(self, record: logging.LogRecord) -> str:
        return stamped(super().format(record))


async def give_back_memory() -> None:
    """What was needed for a moment: a password's hash alone takes 19 MB, which glibc keeps for the next one."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    pause = SETTLED
    while trim:
        await asyncio.sleep(pause)
        trim(0)
        pause = GIVE_BACK


def answer_first() -> None:
    """A resolver's settings: its loop shares the interpreter with the model's thread, and makes few garbage cycles."""
    gc.freeze()
    # A collection holds every query up: of the young it takes 0.2 ms, of all that the caches hold 50 ms: hardly ever.
    gc.set_threshold(2_000, 50_000, 50)
    # The model's thread hands a score over as soon as it has one: the default lets it wait 5 ms for a busy loop.
    sys.setswitchinterval(0.0005)
