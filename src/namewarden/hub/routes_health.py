"""Is it alive, is it ready, how is it: for supervisors, Prometheus and the status page."""

from typing import Any

from fastapi import APIRouter, Response

from namewarden.hub.desk import AtDesk, Desk, needs

router = APIRouter(tags=["health"])


@router.get("/health")
def health() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/ready")
def ready(desk: AtDesk, response: Response) -> dict[str, Any]:
    """503 while something is not; `parts` names each with "ok" or the reason."""
    parts = unready(desk)
    good = all(reason == "ok" for reason in parts.values())
    response.status_code = 200 if good else 503
    notes = (
        ["the last change of lists or rules could not be compiled"]
        if desk.publisher.problem
        else []
    )
    return {"ready": good, "parts": parts, "notes": notes}


def unready(desk: Desk) -> dict[str, str]:
    """Words without paths or names: everybody may read them."""
    return {
        "store": "the last batch could not be stored" if desk.store.problem else "ok",
        "snapshot": "ok" if desk.publisher.current.exists() else "no snapshot yet",
    }


@router.get("/metrics", dependencies=[needs("viewer")])
def metrics(desk: AtDesk) -> Response:
    """Prometheus text."""
    reports = desk.publisher.state.report
    desk.metrics.set("lists", "Lists in the snapshot in force.", len(reports))
    broken = sum(1 for report in reports if report.get("error"))
    desk.metrics.set("lists_failed", "Lists served by their last good copy, or not at all.", broken)
    rules = sum(report.get("rules", 0) for report in reports)
    desk.metrics.set("list_rules", "Rules of all lists.", rules)
    generation = desk.publisher.state.generation
    desk.metrics.set("snapshot_generation", "Of the snapshot in force.", generation)
    return Response(desk.metrics.page(), media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/status", dependencies=[needs("viewer")])
def status(desk: AtDesk) -> dict[str, Any]:
    """Doors, store and snapshot, with the reasons for what is wrong."""
    problems = [*desk.store.days.problems]
    problems += [text for text in (desk.store.problem, desk.publisher.problem) if text]
    return {
        "version": desk.version,
        "doors": desk.doors.report(),
        "days": [day.isoformat() for day in desk.store.days.present()],
        "snapshot": {
            "generation": desk.publisher.state.generation,
            "time": desk.publisher.state.time,
            "pending": desk.publisher.is_pending,
        },
        "parts": unready(desk),
        "problems": problems,
    }
