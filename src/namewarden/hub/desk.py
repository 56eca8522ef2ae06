"""What the routes work with: built once in `app.py`, carried by the application, asked for by each route."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request

from namewarden.events.store import Store
from namewarden.hub.auth import Auth, Principal, Role, may
from namewarden.hub.control import Control
from namewarden.hub.doors import Doors
from namewarden.hub.gate import PRINCIPAL, Refusal
from namewarden.hub.ingest import Ingest
from namewarden.hub.metrics import Metrics
from namewarden.hub.publish import Publisher

AUDIT_KEPT = 10_000


@dataclass(frozen=True)
class Desk:
    """The parts of the hub. Started and stopped by who built them."""

    store: Store
    control: Control
    auth: Auth
    doors: Doors
    metrics: Metrics
    ingest: Ingest
    publisher: Publisher
    lists_folder: Path  # lists that are added by the API are files in here
    version: str = ""
    hosts: tuple[str, ...] = ()
    clock: Callable[[], float] = field(default=time.time)


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def _principal(request: Request) -> Principal:
    principal: Principal | None = request.scope.get(PRINCIPAL)
    if principal is None:
        raise Refusal(401, "log in, or send a bearer token")
    return principal


AtDesk = Annotated[Desk, Depends(_desk)]
Who = Annotated[Principal, Depends(_principal)]


def needs(role: Role) -> Any:
    """A route's demand, as a dependency."""

    def check(who: Who) -> None:
        if not may(who, role):
            raise Refusal(403, f"needs the role {role}; {who.name} has {who.role}")

    return Depends(check)


def note(desk: Desk, who: Principal, what: str, subject: str, detail: dict[str, Any]) -> None:
    """Write into the audit who changed what. Secrets are never part of `detail`."""
    body = {"who": who.name, "how": who.how, "what": what, "subject": subject, "detail": detail}
    now = desk.clock()
    desk.control.put("audit", f"{now:017.6f}-{what}-{subject}", body)
    desk.control.trim("audit", AUDIT_KEPT)
