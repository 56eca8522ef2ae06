"""Lists by URL over HTTP: how they go, and asking their servers now."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from namewarden.hub.gate import ApiError
from namewarden.hub.services import HubServices, Who, needs, note
from namewarden.hub.subscriptions.follow import Following
from namewarden.policy.chosen import is_ours
from namewarden.settings import Word, shown_url

router = APIRouter(tags=["policy"])


class Refresh(BaseModel):
    model_config = ConfigDict(extra="forbid")
    lists: list[Word] = Field([], max_length=1000)
    """Names; empty = all."""
    wait: float = Field(60.0, ge=0, le=100, allow_inf_nan=False)
    """Seconds after which it is answered, though some still run."""


@router.post("/lists/refresh", dependencies=[needs("administrator")])
async def refresh(body: Refresh, who: Who, services: HubServices) -> dict[str, Any]:
    """Ask the servers of lists by URL whether they have something newer, and look at files again."""
    lists = [entry.name for entry in services.publisher.spec().lists if entry.kind != "guard"]
    known = [name for name in lists if not is_ours(name)]  # ours are files of the package
    if missing := [name for name in body.lists if name not in known]:
        raise ApiError(422, f"lists: {', '.join(missing)} not there (lists: {', '.join(known)})")
    names = list(dict.fromkeys(body.lists)) or known
    note(services, who, "refresh lists", " ".join(body.lists)[:200] or "all", {})
    downloaded = [name for name in names if name in services.subscriptions]
    if len(downloaded) < len(names):
        services.publisher.look()
    await services.subscriptions.refresh(downloaded, body.wait)
    return {"lists": [{"name": name, **shown(services.subscriptions.of(name))} for name in names]}


def shown(each: Following | None) -> dict[str, Any]:
    """What people may know of it; a file has none of it."""
    if each is None:
        return {"url": "", "subscription": None}
    copy = each.copy
    return {
        "url": shown_url(each.subscription.url),
        "subscription": {
            "running": each.is_running or each.is_asked,
            "outcome": each.outcome,
            "error": each.error,
            "failures": each.failures,
            "tried": each.tried,
            "next": each.next,
            "good": copy.time if copy else 0.0,
            "size": copy.size if copy else 0,
            "etag": copy.etag if copy else "",
            "modified": copy.modified if copy else "",
            "came": each.came,
            "total": each.total,
        },
    }
