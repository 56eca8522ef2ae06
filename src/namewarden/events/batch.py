"""Many events as one message of columns, from a source (`sender.py`) to the hub's event log (`log.py`), and back.

Columns because both ends are then C loops: what is said again and again (status, reason, type …) travels once
in `facts` and as a number a row; names, clients and rules as one text each, a line a row.
"""

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, count
from operator import attrgetter
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta, Struct

from namewarden.events.rows import DeniedRows, RepeatedRows, Rows, RowSource
from namewarden.query import EVENT_SCHEMA, Event, UpstreamState

# Fields of which a source has few combinations. The order is the message's and the store's.
FACT = (
    "source", "group", "qtype", "transport", "status", "action", "reason",
    "band", "family", "model", "shadow", "upstream", "rcode",
)  # fmt: skip
TEXTS = ("client", "name", "rule", "cnames", "addresses")
NUMBERS = {"fact": "u4", "time": "f8", "duration": "f8", "score": "f8", "count": "u4"}
NOT_SCORED = float("nan")

# What every store and every sum can hold.
Natural = Annotated[int, Meta(ge=0, le=2**53)]

_fact: Callable[[Event], tuple[str, ...]] = attrgetter(*FACT)


class BatchError(Exception):
    """The message is not a batch: the hub answers 400, the source throws it away and counts it."""


class Batch(Struct, frozen=True):
    """One message. `run` and `sequence` name it: a batch that comes twice is stored once."""

    run: str  # of the source: one start of one process
    sequence: Natural  # rises within a run
    source: str
    worker: Natural
    first: Natural  # number of the first event within the run; its id is `run-number`
    rows: Natural
    facts: list[tuple[str, ...]]
    numbers: dict[str, bytes]  # little-endian columns, see NUMBERS
    texts: dict[str, str]  # one line a row; lists are joined by a blank
    dropped_events: Natural = 0  # since the batch before: the queue was full
    dropped_queries: Natural = 0
    counters: dict[str, int] = {}  # rising within the run; for /metrics
    gauges: dict[str, float] = {}
    upstreams: list[UpstreamState] = []  # as the source sees them now
    last: bool = False  # the source ended in order, nothing is missing behind this
    schema: int = EVENT_SCHEMA


class Columns:
    """Takes events slice by slice, so that a busy loop is never held long, and gives the message's columns."""

    def __init__(self) -> None:
        self.rows = 0
        self.queries = 0
        self.size = 0  # octets of the texts
        self._facts: defaultdict[tuple[str, ...], int] = defaultdict(count().__next__)
        self._numbers = {name: bytearray() for name in NUMBERS}
        self._texts: dict[str, list[str]] = {name: [] for name in TEXTS}

    def add(self, recorded: Sequence[Event | Rows]) -> None:
        """Events in any order: their numbers follow it, their times say it."""
        self._add_events([one for one in recorded if isinstance(one, Event)])
        for one in recorded:
            if isinstance(one, RepeatedRows):
                self._add_repeats(one)
        rows = [one for one in recorded if isinstance(one, DeniedRows)]
        for source in {id(each.source): each.source for each in rows}.values():
            self._add_rows(source, [each for each in rows if each.source is source])

    def _add_events(self, events: Sequence[Event]) -> None:
        if not events:
            return
        self.queries += sum([event.count for event in events])
        self._numbers["time"] += array("d", [event.time for event in events])
        self._numbers["count"] += array("I", [event.count for event in events])
        self._text("client", [event.client for event in events])
        self._add_shared(events)

    def _add_repeats(self, rows: RepeatedRows) -> None:
        self.queries += rows.queries
        self._numbers["time"] += array("d", rows.times)
        self._numbers["count"] += array("I", rows.counts)
        self._text("client", rows.clients)
        self._add_shared(rows.events)

    def _add_shared(self, events: Sequence[Event]) -> None:
        """What repeats share with their event."""
        self.rows += len(events)
        numbers, none = self._numbers, NOT_SCORED
        numbers["fact"] += array("I", map(self._facts.__getitem__, map(_fact, events)))
        numbers["duration"] += array("d", [event.duration for event in events])
        numbers["score"] += array("d", [none if (s := e.score) is None else s for e in events])
        self._text("name", [event.name for event in events])
        self._text("rule", [event.rule for event in events])
        self._text("cnames", [" ".join(c) if (c := e.cnames) else "" for e in events])
        self._text("addresses", [" ".join(a) if (a := e.addresses) else "" for e in events])

    def _add_rows(self, source: RowSource, rows: Sequence[DeniedRows]) -> None:
        codes = array("Q", b"".join([each.codes for each in rows]))
        facts = {code: self._facts[_fact(source.event_of(code))] for code in set(codes)}
        total, numbers = len(codes), self._numbers
        self.rows += total
        self.queries += total
        numbers["fact"] += array("I", map(facts.__getitem__, codes))
        for each in rows:
            numbers["time"] += array("d", [each.time]) * len(each)
        numbers["duration"] += bytes(8 * total)
        numbers["score"] += array("d", [NOT_SCORED]) * total
        numbers["count"] += array("I", [1]) * total
        clients = chain.from_iterable(each.clients for each in rows)
        self._line_up("client", "\n".join(clients), total)
        self._line_up("name", "\n".join([each.names for each in rows]), total)
        self._line_up("rule", source.lines(b"".join([each.hits for each in rows])), total)
        self._line_up("cnames", "\n" * (total - 1), total)
        self._line_up("addresses", "\n" * (total - 1), total)

    def _line_up(self, column: str, text: str, count: int) -> None:
        assert text.count("\n") == count - 1, "a line a row"
        self._texts[column].append(text)
        self.size += len(text)

    def _text(self, column: str, values: list[str]) -> None:
        text = "\n".join(values)
        if text.count("\n") != len(values) - 1 or not text.isascii():
            text = "\n".join(map(_clean, values))
        self._texts[column].append(text)
        self.size += len(text)

    def finish(self) -> tuple[list[tuple[str, ...]], dict[str, bytes], dict[str, str]]:
        """(facts, numbers, texts) of a Batch."""
        texts = {name: "\n".join(parts) for name, parts in self._texts.items()}
        return list(self._facts), {n: bytes(b) for n, b in self._numbers.items()}, texts


def _clean(text: str) -> str:
    """Names are escaped where they are read; should a rule's text not be, a line must still stay a line."""
    return text.replace("\n", "\\010").encode("utf-8", "replace").decode("utf-8")


def from_events(
    run: str, sequence: int, source: str, events: Sequence[Event], first: int = 0, worker: int = 0
) -> Batch:
    """A whole batch at once."""
    columns = Columns()
    columns.add(events)
    return Batch(run, sequence, source, worker, first, columns.rows, *columns.finish())


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Batch).decode


def to_wire(batch: Batch) -> bytes:
    return _encode(batch)


def from_wire(data: bytes) -> Batch:
    """The batch, its columns checked to be of one length. BatchError for anything else."""
    try:
        batch = _decode(data)
    except (msgspec.DecodeError, ValueError) as problem:
        raise BatchError(f"not a batch of events: {problem}") from problem
    if batch.schema != EVENT_SCHEMA:
        raise BatchError(f"event schema {batch.schema}, this hub reads {EVENT_SCHEMA}")
    if not (batch.run.isalnum() and batch.run.isascii() and len(batch.run) <= 32):
        raise BatchError("run is not 1 to 32 letters and digits")
    if any(len(fact) != len(FACT) for fact in batch.facts):
        raise BatchError(f"a fact is not {len(FACT)} words")
    _check_columns(batch)
    return batch


def _check_columns(batch: Batch) -> None:
    rows = batch.rows
    for name, kind in NUMBERS.items():
        if len(batch.numbers.get(name, b"")) != rows * np.dtype(kind).itemsize:
            raise BatchError(f"column {name} is not {rows} numbers")
    for name in TEXTS:
        if rows and batch.texts.get(name, "").count("\n") != rows - 1:
            raise BatchError(f"column {name} is not {rows} lines")
    codes = np.frombuffer(batch.numbers["fact"], NUMBERS["fact"])
    if rows and int(codes.max()) >= len(batch.facts):
        raise BatchError("a row names a fact that is not there")
    for name in ("time", "duration"):
        if not np.isfinite(np.frombuffer(batch.numbers[name], "f8")).all():
            raise BatchError(f"a {name} is not a number")


def numbers(batch: Batch, column: str) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """A column as an array (of the type NUMBERS says)."""
    return np.frombuffer(batch.numbers[column], NUMBERS[column])


def lines(batch: Batch, column: str) -> list[str]:
    return batch.texts[column].split("\n") if batch.rows else []


def to_events(batch: Batch) -> Iterable[Event]:
    """The events as the source recorded them, with their ids. For tests and small batches."""
    columns = [lines(batch, name) for name in TEXTS]
    times, durations = numbers(batch, "time").tolist(), numbers(batch, "duration").tolist()
    scores, counts = numbers(batch, "score").tolist(), numbers(batch, "count").tolist()
    for row, code in enumerate(numbers(batch, "fact").tolist()):
        fact = dict(zip(FACT, batch.facts[int(code)], strict=True))
        client, name, rule, cnames, addresses = (column[row] for column in columns)
        yield Event(
            id=f"{batch.run}-{batch.first + row}",
            time=times[row],
            client=client,
            name=name,
            rule=rule,
            score=None if scores[row] != scores[row] else scores[row],
            duration=durations[row],
            cnames=tuple(cnames.split()),
            addresses=tuple(addresses.split()),
            count=int(counts[row]),
            **fact,
        )
