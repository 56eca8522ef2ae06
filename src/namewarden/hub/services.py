"""What the routes work with: built once in `process/api.py`, carried by the application, asked for by each route."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request

from namewarden.events.log import EventLog
from namewarden.hub.auth import Auth, Principal, Role, may
from namewarden.hub.control import Control
from namewarden.hub.gate import PRINCIPAL, ApiError
from namewarden.hub.ingest import Ingest
from namewarden.hub.metrics import Metrics
from namewarden.hub.publish import Publisher
from namewarden.hub.reporters import Reporters
from namewarden.hub.subscriptions.follow import Subscriptions

AUDIT_KEPT = 10_000


@dataclass(frozen=True)
class Services:
    """The parts of the hub. Started and stopped by who built them."""

    event_log: EventLog
    control: Control
    auth: Auth
    reporters: Reporters
    metrics: Metrics
    ingest: Ingest
    publisher: Publisher
    subscriptions: Subscriptions = field(kw_only=True)
    lists_folder: Path  # lists that are added by the API are files in here
    version: str = ""
    hosts: tuple[str, ...] = ()
    clock: Callable[[], float] = field(default=time.time)
    # Why it would change nothing to let a name pass, alone or (False) with all below it; "" where it does.
    refusal: Callable[[str, bool], str] = field(default=lambda name, is_alone: "")


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _principal(request: Request) -> Principal:
    principal: Principal | None = request.scope.get(PRINCIPAL)
    if principal is None:
        raise ApiError(401, "log in, or send a bearer token")
    return principal


HubServices = Annotated[Services, Depends(_services)]
Who = Annotated[Principal, Depends(_principal)]


def needs(role: Role) -> Any:
    """A route's demand, as a dependency."""

    def check(who: Who) -> None:
        if not may(who, role):
            raise ApiError(403, f"needs the role {role}; {who.name} has {who.role}")

    return Depends(check)


def note(
    services: Services, who: Principal, what: str, subject: str, detail: dict[str, Any]
) -> None:
    """Write into the audit who changed what. Secrets are never part of `detail`."""
    body = {"who": who.name, "how": who.how, "what": what, "subject": subject, "detail": detail}
    now = services.clock()
    services.control.put("audit", f"{now:017.6f}-{what}-{subject}", body)
    services.control.trim("audit", AUDIT_KEPT)
