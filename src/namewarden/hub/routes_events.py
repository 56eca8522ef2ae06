"""The event log over HTTP: batches in; queries, exports and statistics out."""

from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Any, Literal

from dns.exception import DNSException
from dns.rdatatype import RdataType
from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from msgspec.structs import asdict
from pydantic import BaseModel, Field

from namewarden.events.export import to_csv, to_dict, to_jsonl
from namewarden.events.log import Filters, Period, Ranked
from namewarden.hub.gate import ApiError
from namewarden.hub.services import HubServices, Services, needs
from namewarden.hub.when import moment
from namewarden.policy.names import listed
from namewarden.settings import plain_network

router = APIRouter(tags=["events"])
DAY = 86_400.0


class EventQuery(BaseModel, extra="forbid"):
    """Filters; all given ones must hold."""

    since: str = Field("", max_length=40)
    """10m (ago), 2026-11-21T10:00:00Z or epoch seconds."""
    until: str = Field("", max_length=40)
    name: str = Field("", max_length=1100)
    """Exact, or *.suffix for all below it."""
    client: str = Field("", max_length=64)
    """An address, or a network."""
    action: str = Field("", max_length=64)
    status: str = Field("", max_length=64)
    reason: str = Field("", max_length=64)
    group: str = Field("", max_length=64)
    family: str = Field("", max_length=64)
    qtype: str = Field("", max_length=64)
    transport: str = Field("", max_length=64)
    rcode: str = Field("", max_length=64)
    source: str = Field("", max_length=64)
    band: str = Field("", max_length=64)


class Paged(EventQuery):
    limit: int = Field(100, ge=1, le=10_000)
    cursor: str = Field("", max_length=120)


class Exported(EventQuery):
    format: Literal["csv", "jsonl"] = "jsonl"
    limit: int | None = Field(None, ge=1)


def _filters(services: Services, asked: EventQuery) -> Filters:
    given = asked.model_dump(exclude={"since", "until", "limit", "cursor", "format"})
    since, until = _times(services, asked.since, asked.until)
    given["name"], given["client"] = _name(given["name"]), _client(given["client"])
    return Filters(since, until, **{**given, "qtype": _type(given["qtype"])})


def _type(text: str) -> str:
    """As it is logged: a number that has a name by that. No answer at all would be one to another question."""
    if not text:
        return ""
    try:
        number = RdataType.make(text.upper())
    except (DNSException, ValueError) as problem:
        raise ApiError(422, f"qtype: {text!r} is no query type such as AAAA or TYPE65") from problem
    return RdataType.to_text(number)


def _name(text: str) -> str:
    """As it is logged: a U-label as its A-label."""
    if text.isascii():
        return text
    star, _, name = text.rpartition("*.")
    if (found := listed(name)) is None:
        raise ApiError(422, f"name: {text[:100]!r} is no domain name")
    return f"*.{found}" if text.startswith("*.") and not star else found


def _client(text: str) -> str:
    """As it is logged: IPv4 in IPv6 clothes is IPv4."""
    try:
        network = plain_network(text)
    except ValueError:
        return text
    return str(network) if "/" in text else str(network.network_address)


def _times(services: Services, since: str, until: str) -> tuple[float | None, float | None]:
    now, found = services.clock(), []
    for field, text in (("since", since), ("until", until)):
        try:
            found.append(moment(text, now) if text else None)
        except ValueError as problem:
            raise ApiError(422, f"{field}: {problem}") from problem
    return found[0], found[1]


@router.post("/events", dependencies=[needs("source")])
async def post_events(request: Request, services: HubServices) -> dict[str, Any]:
    """A batch of a source (`events/batch.py`), msgpack. 200 means it is on disk."""
    stored = await services.ingest.put(await request.body())
    return {"rows": stored.rows, "repeated": stored.repeated, "misdated": stored.misdated}


@router.get("/queries", dependencies=[needs("viewer")])
def queries(asked: Annotated[Paged, Query()], services: HubServices) -> dict[str, Any]:
    """Newest first. `cursor` of one answer, given back, is the next page; "" = there is none."""
    page = services.event_log.find(_filters(services, asked), asked.limit, asked.cursor)
    return {"queries": [to_dict(event) for event in page.events], "cursor": page.cursor}


@router.get("/queries/export", dependencies=[needs("viewer")])
def export(asked: Annotated[Exported, Query()], services: HubServices) -> StreamingResponse:
    """Every match, streamed, as CSV or JSON lines. One that breaks off has no last chunk."""
    pages = services.event_log.export(_filters(services, asked), asked.limit)
    first = next(pages, None)  # a log that cannot be read says so before 200 has gone out
    pages = chain([first] if first else [], pages)
    kind = "text/csv" if asked.format == "csv" else "application/jsonl"
    lines: Iterator[bytes] = to_csv(pages) if asked.format == "csv" else to_jsonl(pages)
    attached = {"Content-Disposition": f'attachment; filename="queries.{asked.format}"'}
    return StreamingResponse(lines, media_type=kind, headers=attached)


@router.get("/statistics", dependencies=[needs("viewer")])
def statistics(
    services: HubServices,
    since: Annotated[str, Query(max_length=40)] = "24h",
    until: Annotated[str, Query(max_length=40)] = "",
) -> dict[str, Any]:
    """Totals by action, status, reason and hour; what was dropped."""
    period = _period(services, since, until)
    return {**asdict(period), **asdict(services.event_log.summary(period))}


@router.get("/statistics/top", dependencies=[needs("viewer")])
def ranking(
    services: HubServices,
    of: Literal["names", "clients", "blocked"],
    since: Annotated[str, Query(max_length=40)] = "24h",
    until: Annotated[str, Query(max_length=40)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 20,
) -> dict[str, Any]:
    """The most frequent names, clients, or blocked names."""
    period = _period(services, since, until)
    column: Ranked = "client" if of == "clients" else "name"
    rows = services.event_log.top(column, period, limit, of == "blocked")
    return {**asdict(period), "top": [{column: what, "queries": n} for what, n in rows]}


def _period(services: Services, since: str, until: str) -> Period:
    start, end = _times(services, since, until)
    last = services.clock() + DAY if end is None else end
    return Period(last - 2 * DAY if start is None else start, last)
