"""The event log as the hub sees it: what every store of events promises, and the values that go in and out.

A store is a folder beside this file (`duckdb/`); no word of its language is known outside of it. What it must keep is
checked by `tests/events/conformance.py`.
"""

from collections.abc import Iterator
from datetime import date
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Literal, Protocol

from msgspec import Struct

from namewarden.events.batch import Batch
from namewarden.query import Event

BLOCKED = ("block", "redirect")  # the actions that `blocked` and `by_hour` mean
Ranked = Literal["name", "client"]


class EventLogError(Exception):
    """The log cannot do it now; the reason is for people. A batch may be sent again."""


class FilterError(Exception):
    """The question cannot be asked so, here or at all; the reason is for who asked."""


class Filters(Struct, frozen=True):
    """All given ones must hold. Times are epoch seconds: since ≤ time < until."""

    since: float | None = None
    until: float | None = None
    name: str = ""  # exact, or *.suffix for all below it
    client: str = ""  # its text, or a network such as 192.0.2.0/24
    action: str = ""
    status: str = ""
    reason: str = ""
    group: str = ""
    family: str = ""
    qtype: str = ""
    transport: str = ""
    rcode: str = ""
    source: str = ""
    band: str = ""


class Page(Struct, frozen=True):
    events: list[Event]
    cursor: str  # of the next page; "" = this was the last


class Period(Struct, frozen=True):
    """Epoch seconds: since ≤ time < until."""

    since: float
    until: float


class Bounds(Struct, frozen=True):
    """What a store may take of its disk, octets; 0 = no bound. The days it keeps are a bound of their own."""

    size: int = 0  # of all events together: the oldest go first
    reserve: int = 0  # of the disk, free for all else: below it nothing is stored


class Stored(Struct, frozen=True):
    """What became of the rows of a batch."""

    rows: int = 0  # stored now
    repeated: int = 0  # were here already
    misdated: int = 0  # older than the retention, or from the future: not kept


class Gap(Struct, frozen=True):
    """Events that are not here, as far as anybody knows."""

    time: float  # when it was noticed
    run: str
    source: str
    kind: Literal["dropped", "killed"]  # its queue was full; it ended without handing over
    events: int = 0
    queries: int = 0


class Summary(Struct, frozen=True):
    queries: int
    rows: int
    by_action: dict[str, int]  # most first, as the next two
    by_status: dict[str, int]
    by_reason: dict[str, int]
    by_hour: list[tuple[float, int, int]]  # (start, queries, of these blocked or redirected)
    dropped_events: int  # reported by sources as not kept
    dropped_queries: int
    killed_runs: int  # sources that ended without handing over


class EventLog(Protocol):
    """Events, kept. Every method may raise EventLogError; all that store or ask do before `start()` and after `stop()`.

    One thread at a time writes (`append`, `note_gap`); any number read beside it. What is given out belongs to who
    asked; of a batch nothing is kept or changed. Nothing found is an empty result. What a store cannot ask is a
    FilterError, never a wrong or a partial answer. What is beyond the retention goes unasked, and so does the oldest
    of what is beyond the size.

    What is damaged is set aside, named in `problems()`, and what can be read of it is read. An error of the system (no
    room, no access, an unreadable disk) is no damage: what was acknowledged stays as it is until the system is well.
    """

    def start(self) -> None:
        """Open it, and see that it can be written. After an EventLogError it may be tried again."""

    def stop(self) -> None:
        """What cannot be put in order now is at the next start."""

    def append(self, batch: Batch) -> Stored:
        """When it returns, the rows are found by who asks, and are here after any crash.

        EventLogError: perhaps not all is stored. The same batch again stores what is missing and nothing twice; known
        by `run` and `sequence`, which rises within a run, also after a restart. An event's id is `run-number`.
        Its `dropped_events` are a gap.
        """

    def note_gap(self, gap: Gap) -> None: ...

    def find(self, filters: Filters, limit: int = 100, cursor: str = "") -> Page:
        """The newest events that match, after the page that gave `cursor`.

        A cursor is the store's own: at most 120 ASCII characters, good as long as the events are kept. What comes in
        meanwhile shifts no page. FilterError for one that no page gave.
        """

    def export(self, filters: Filters, limit: int | None = None) -> Iterator[list[Event]]:
        """Every match, newest first, in pages of bounded size, whatever else is asked or stored meanwhile.

        What cannot be asked is said at once, not with the first page. An error at a page means that what came before is
        not the whole.
        """

    # Sums are of `count`: they add up to the queries. A store may keep them ready (by hour, say) if they equal
    # what its rows give, up to the last batch.

    def summary(self, period: Period) -> Summary: ...

    def top(
        self, of: Ranked, period: Period, limit: int = 20, blocked: bool = False
    ) -> list[tuple[str, int]]:
        """The most frequent names or clients with their queries; equal ones by the alphabet."""

    def gaps(self, period: Period) -> list[Gap]:
        """By time noticed, oldest first."""

    def days(self) -> list[date]:
        """UTC days that are kept, newest first."""

    def problems(self) -> list[str]:
        """What was found damaged since the start, for people; a bounded number."""


def network_asked(text: str) -> IPv4Network | IPv6Network | None:
    """The network that a filter's client means; None: it means that very text."""
    try:
        return ip_network(text, strict=False) if "/" in text else None
    except ValueError:
        return None


def is_of(client: str, network: IPv4Network | IPv6Network) -> bool:
    """Whether an event's client is in it; what is no address is in none."""
    try:
        return ip_address(client.partition("%")[0]) in network
    except ValueError:
        return False


def name_asked(text: str) -> tuple[str, bool]:
    """The name of a filter as events have it, and whether it is the ending of what is meant. FilterError."""
    name = text.lower().removesuffix(".") + "."
    if name.startswith("*."):
        return name[1:], True
    if "*" in name:
        raise FilterError(f"name {text!r}: a star stands only at the front, as in *.example.org")
    return name, False
