"""Is it alive, is it ready, how is it: for supervisors, Prometheus and the status page."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Response
from msgspec.structs import asdict

from namewarden.hub.pauses import pauses
from namewarden.hub.services import HubServices, Services, needs

router = APIRouter(tags=["health"])


@router.get("/health")
def health() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/ready")
def ready(services: HubServices, response: Response) -> dict[str, Any]:
    """503 while something is not; `parts` names each with "ok" or the reason."""
    parts = unready(services)
    good = all(reason == "ok" for reason in parts.values())
    response.status_code = 200 if good else 503
    return {"ready": good, "parts": parts, "notes": _notes(services)}


def _notes(services: Services) -> list[str]:
    """What is wrong and keeps nobody from serving. As `unready`, for everybody to read."""
    said = (
        (services.publisher.problems, "the last change of lists or rules could not be compiled"),
        (_failing(services), "a list could not be downloaded"),
        (services.publisher.guard_problem, "the guard list could not be written"),
        (services.event_log.problems(), "a day of the event log was damaged, and set aside"),
        (services.publisher.list_problems, "a list cannot be read"),
    )
    return [note for found, note in said if found] + _upstream_note(services)


def _upstream_note(services: Services) -> list[str]:
    states = [each.state for each in services.reporters.upstreams()]
    down = states.count("down")
    return [f"{down} of {len(states)} upstreams {'is' if down == 1 else 'are'} down"] * (down > 0)


def _failing(services: Services) -> set[str]:
    """Lists whose last download failed."""
    return {each.subscription.name for each in services.subscriptions.all() if each.error}


def unready(services: Services) -> dict[str, str]:
    """Words without paths or names: everybody may read them."""
    return {
        "store": "the last batch could not be stored" if services.ingest.problem else "ok",
        "snapshot": "ok" if services.publisher.current.exists() else "no snapshot yet",
    }


@router.get("/metrics", dependencies=[needs("viewer")])
def metrics(services: HubServices) -> Response:
    """Prometheus text."""
    reports = services.publisher.state.report
    services.metrics.set("lists", "Lists in the snapshot in force.", len(reports))
    broken = {report["name"] for report in reports if report.get("error")} | _failing(services)
    services.metrics.set(
        "lists_failed", "Lists served by their last good copy, or not at all.", len(broken)
    )
    copies = [each.copy.time for each in services.subscriptions.all() if each.copy]
    age = max(services.clock() - min(copies), 0.0) if copies else 0.0
    services.metrics.set(
        "lists_age_seconds", "Since the oldest copy of a list by URL was the server's.", age
    )
    rules = sum(report.get("rules", 0) for report in reports)
    services.metrics.set("list_rules", "Rules of all lists.", rules)
    generation = services.publisher.state.generation
    services.metrics.set("snapshot_generation", "Of the snapshot in force.", generation)
    overlay = services.publisher.overlay
    services.metrics.set(
        "overlay_generation", "Of the rules and decisions in force.", overlay.generation
    )
    services.metrics.set("rules", "Local rules and decisions.", overlay.count)
    services.metrics.set_failures(services.ingest.failures)
    return Response(services.metrics.page(), media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/status", dependencies=[needs("viewer")])
def status(services: HubServices) -> dict[str, Any]:
    """Reporters, upstreams, store and snapshot, with the reasons for what is wrong."""
    return {
        "version": services.version,
        "sources": services.reporters.report(),
        "upstreams": [asdict(each) for each in services.reporters.upstreams()],
        "days": [day.isoformat() for day in services.event_log.days()],
        "snapshot": {
            "generation": services.publisher.state.generation,
            "time": services.publisher.state.time,
            "pending": services.publisher.is_pending,
        },
        "overlay": {
            "generation": services.publisher.overlay.generation,
            "rules": services.publisher.overlay.count,
        },
        "parts": unready(services),
        "pauses": _pauses(services),
        "problems": _problems(services),
    }


def _pauses(services: Services) -> list[dict[str, Any]]:
    rules = ((each.id, each.body, each.expires) for each in services.control.find("rule"))
    return pauses(rules, services.clock())


def _paused(pause: dict[str, Any]) -> str:
    whom = f"for group {pause['group']}" if pause["group"] else "for all"
    until = datetime.fromtimestamp(pause["expires"]).astimezone().isoformat(" ", "seconds")
    return f"paused {whom} until {until}: nothing is blocked"


def _problems(services: Services) -> list[str]:
    """As `_notes`, in full."""
    found = services.event_log.problems()
    found += [services.ingest.problem, services.publisher.guard_problem]
    found += [*services.publisher.problems, *services.publisher.list_problems]
    found += [
        f"list {each.subscription.name!r} {each.error}"
        for each in services.subscriptions.all()
        if each.error
    ]
    found += [
        f"upstream {each.server} ({each.transport}) is down: {each.problem}"
        for each in services.reporters.upstreams()
        if each.state == "down"
    ]
    found += [_paused(each) for each in _pauses(services)]
    return [text for text in found if text]
