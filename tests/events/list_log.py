"""An event log that keeps a list, gone when stopped: what a second store has to have, and that nothing else changes."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any

from namewarden.events import log as protocol
from namewarden.events.batch import Batch, to_events
from namewarden.events.log import EventLogError, FilterError, Filters, Gap, Page, Period, Stored
from namewarden.query import Event

DAY, PAGE, FIRST = 86_400.0, 10_000, (float("inf"), "", 0)


class ListLog:
    def __init__(self, retention: int, clock: Callable[[], float], size: int = 1 << 40) -> None:
        self._retention, self._clock, self._size = retention, clock, size
        self._events: list[Event] | None = None
        self._gaps: list[Gap] = []
        self._last: dict[str, int] = {}  # sequence by run

    def start(self) -> None:
        self._events = []

    def stop(self) -> None:
        self._events = None

    def append(self, batch: Batch) -> Stored:
        kept, now = self._kept(), self._clock()
        if batch.sequence <= self._last.get(batch.run, 0):
            return Stored(repeated=batch.rows)
        new = [e for e in to_events(batch) if self._is_kept(e) and e.time < now + 2 * DAY]
        self._events = sorted([*kept, *new], key=_place, reverse=True)
        while sum(len(e.rule) + 100 for e in self._events) > self._size:
            del self._events[-len(self._events) // 4 :]
        self._last[batch.run] = batch.sequence
        if batch.dropped_events:
            dropped = batch.dropped_events, batch.dropped_queries
            time = new[-1].time if new else now
            self._gaps.append(Gap(time, batch.run, batch.source, "dropped", *dropped))
        return Stored(rows=len(new), misdated=batch.rows - len(new))

    def note_gap(self, gap: Gap) -> None:
        self._kept()
        self._gaps.append(gap)

    def _is_kept(self, event: Event) -> bool:
        return event.time // DAY > self._clock() // DAY - self._retention

    def _kept(self) -> list[Event]:
        if self._events is None:
            raise EventLogError("the event log is not open")
        return list(filter(self._is_kept, self._events))

    def find(self, filters: Filters, limit: int = 100, cursor: str = "") -> Page:
        matches, before = _matcher(filters), _from_cursor(cursor) if cursor else FIRST
        found = [e for e in self._kept() if _place(e) < before and matches(e)][:limit]
        return Page(found, f"{found[-1].time.hex()} {found[-1].id}" if len(found) == limit else "")

    def export(self, filters: Filters, limit: int | None = None) -> Iterator[list[Event]]:
        _matcher(filters)
        return self._pages(filters, limit if limit is not None else 1 << 62)

    def _pages(self, filters: Filters, left: int, cursor: str = "") -> Iterator[list[Event]]:
        while left > 0:
            page = self.find(filters, min(left, PAGE), cursor)
            yield page.events
            left, cursor = left - len(page.events), page.cursor
            if not cursor:
                return

    def _within(self, period: Period) -> list[Event]:
        return [e for e in self._kept() if period.since <= e.time < period.until]

    def summary(self, period: Period) -> protocol.Summary:
        events, dropped = self._within(period), self.gaps(period)
        blocked = _sum(_hour, [e for e in events if e.action in protocol.BLOCKED])
        return protocol.Summary(
            sum(e.count for e in events),
            len(events),
            dict(_sum(lambda e: e.action, events).most_common()),
            dict(_sum(lambda e: e.status, events).most_common()),
            dict(_sum(lambda e: e.reason, events).most_common()),
            [(hour, n, blocked[hour]) for hour, n in sorted(_sum(_hour, events).items())],
            sum(gap.events for gap in dropped),
            sum(gap.queries for gap in dropped),
            sum(gap.kind == "killed" for gap in dropped),
        )

    def top(
        self, of: protocol.Ranked, period: Period, limit: int = 20, blocked: bool = False
    ) -> list[tuple[str, int]]:
        if of not in ("name", "client"):
            raise ValueError(of)
        events = [e for e in self._within(period) if not blocked or e.action in protocol.BLOCKED]
        sums = _sum(lambda e: getattr(e, of), events)
        return sorted(sums.items(), key=lambda item: (-item[1], item[0]))[:limit]

    def gaps(self, period: Period) -> list[Gap]:
        self._kept()
        found = [gap for gap in self._gaps if period.since <= gap.time < period.until]
        return sorted(found, key=lambda gap: gap.time)

    def days(self) -> list[date]:
        return sorted({datetime.fromtimestamp(e.time, UTC).date() for e in self._kept()})[::-1]

    def problems(self) -> list[str]:
        return []


def _hour(event: Event) -> float:
    return event.time // 3600 * 3600


def _sum(key: Callable[[Event], Any], events: Iterable[Event]) -> "Counter[Any]":
    found: Counter[Any] = Counter()
    for event in events:
        found[key(event)] += event.count
    return found


def _place(event: Event) -> tuple[float, str, int]:
    run, _, number = event.id.partition("-")
    return event.time, run, int(number)


def _from_cursor(text: str) -> tuple[float, str, int]:
    try:
        time, identity = text.split(" ")
        run, number = identity.split("-")
        return float.fromhex(time), run, int(number)
    except ValueError as problem:
        raise FilterError("cursor: not one that a page gave") from problem


def _matcher(filters: Filters) -> Callable[[Event], bool]:
    network = protocol.network_asked(filters.client)
    asked = {f: v for f in Filters.__struct_fields__[3:] if (v := getattr(filters, f))}
    name, is_ending = protocol.name_asked(filters.name) if filters.name else ("", True)
    since, until = filters.since or 0.0, filters.until or float("inf")

    def matches(event: Event) -> bool:
        is_named = event.name.endswith(name) if is_ending else event.name == name
        fits = all(getattr(event, field) == value for field, value in asked.items())
        if network:
            fits = protocol.is_of(event.client, network) and all(
                getattr(event, f) == v for f, v in asked.items() if f != "client"
            )
        return is_named and fits and since <= event.time < until

    return matches
