"""Local rules and vetted decisions: what people say about names. They beat every subscribed list."""

import secrets
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Path
from pydantic import BaseModel, ConfigDict, Field

from namewarden.hub.control import ABSENT, Document
from namewarden.hub.gate import ApiError
from namewarden.hub.services import HubServices, Services, Who, needs, note
from namewarden.hub.version import expected_version
from namewarden.hub.when import duration
from namewarden.policy.names import listed
from namewarden.policy.patterns import is_usable
from namewarden.policy.spec import DECISION
from namewarden.settings import Word

LONGEST = 3650  # days; what lies beyond the year 9999 has no date, and would be shown as for good
DAY = 86_400.0
router = APIRouter(tags=["vetting"])
IfMatch = Annotated[str | None, Header()]
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Domain = Annotated[str, Path(min_length=1, max_length=1100)]


class Ending(BaseModel):
    model_config = ConfigDict(extra="forbid")
    groups: list[Word] = Field([], max_length=100)
    """Empty = all."""
    reason: str = Field("", max_length=500, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")
    expires: float | None = Field(None, gt=0, allow_inf_nan=False)
    """Epoch seconds; or `expires_in`; neither = never."""
    expires_in: str | None = None
    """1d, 12h, 10m."""
    version: int | None = None
    """Of the document that is changed; 0 = it must be new. Or the header If-Match."""


class RuleBody(Ending):
    name: str = Field(min_length=1, max_length=1100)
    """A name, or an RE2 pattern."""
    effect: Literal["allow", "deny", "redirect"]
    match: Literal["exact", "below", "both", "pattern"] = "exact"


class Decision(Ending):
    verdict: Literal["benign", "malicious", "honeypot"]
    match: Literal["exact", "below", "both"] = "exact"


@router.get("/rules", dependencies=[needs("viewer")])
def rules(services: HubServices) -> dict[str, Any]:
    return {"rules": [_shown(document) for document in services.control.find("rule")]}


@router.post("/rules", dependencies=[needs("administrator")], status_code=201)
def post_rule(body: RuleBody, who: Who, services: HubServices) -> dict[str, Any]:
    return _put_rule(services, who, secrets.token_hex(6), body, ABSENT)


@router.put("/rules/{id}", dependencies=[needs("administrator")])
def put_rule(
    id: Id, body: RuleBody, who: Who, services: HubServices, if_match: IfMatch = None
) -> dict[str, Any]:
    if id == DECISION:
        raise ApiError(422, f"id: {id} stands for decisions")
    return _put_rule(services, who, id, body, expected_version(if_match, body.version, None))


def _put_rule(
    services: Services, who: Who, id: str, body: RuleBody, expected: int | None
) -> dict[str, Any]:
    name = _pattern(body.name) if body.match == "pattern" else _name(body.name)
    if body.match != "pattern":
        _check_reach(services, name, body.match, "allow" if body.effect == "allow" else "deny")
    kept = {
        "name": name,
        "effect": body.effect,
        "match": body.match,
        "groups": body.groups,
        "reason": body.reason,
        "by": who.name,
    }
    document = _put(services, "rule", id, kept, expected, body)
    note(services, who, "put rule", id, kept)
    return _shown(document)


@router.delete("/rules/{id}", dependencies=[needs("administrator")])
def delete_rule(
    id: Id, who: Who, services: HubServices, if_match: IfMatch = None
) -> dict[str, bool]:
    if not services.control.remove("rule", id, expected_version(if_match, None, None)):
        raise ApiError(404, f"there is no rule {id}")
    services.publisher.overlay.publish()
    note(services, who, "delete rule", id, {})
    return {"ok": True}


@router.get("/decisions", dependencies=[needs("viewer")])
def decisions(services: HubServices) -> dict[str, Any]:
    return {"decisions": [_shown(document) for document in services.control.find("decision")]}


@router.get("/decisions/{name}", dependencies=[needs("viewer")])
def decision(name: Domain, services: HubServices) -> dict[str, Any]:
    document = services.control.get("decision", _name(name))
    if document is None:
        raise ApiError(404, f"nothing was decided about {name}")
    return _shown(document)


@router.put("/decisions/{name}", dependencies=[needs("analyst")])
def put_decision(
    name: Domain, body: Decision, who: Who, services: HubServices, if_match: IfMatch = None
) -> dict[str, Any]:
    """Vet a name. One decision a name; it ends by itself when it has an expiry."""
    id = _name(name)
    _check_reach(services, id, body.match, "allow" if body.verdict == "benign" else "deny")
    kept = {
        "name": id,
        "verdict": body.verdict,
        "match": body.match,
        "groups": body.groups,
        "reason": body.reason,
        "by": who.name,
    }
    expected = expected_version(if_match, body.version, None)
    document = _put(services, "decision", id, kept, expected, body)
    note(services, who, "put decision", id, kept)
    return _shown(document)


@router.delete("/decisions/{name}", dependencies=[needs("analyst")])
def delete_decision(
    name: Domain, who: Who, services: HubServices, if_match: IfMatch = None
) -> dict[str, bool]:
    id = _name(name)
    if not services.control.remove("decision", id, expected_version(if_match, None, None)):
        raise ApiError(404, f"nothing was decided about {name}")
    services.publisher.overlay.publish()
    note(services, who, "delete decision", id, {})
    return {"ok": True}


def _check_reach(services: Services, name: str, match: str, word: str) -> None:
    """Who decides about a name that is answered here whatever is decided must know."""
    if reason := services.refusal(name, match == "exact"):
        raise ApiError(422, f"name: {reason}: to {word} it changes nothing")


def _put(
    services: Services, kind: Literal["rule", "decision"], id: str, kept: dict[str, Any],
    expected: int | None, ending: Ending,
) -> Document:  # fmt: skip
    """Keep it, and put it in force before anything else is done."""
    overlay = services.publisher.overlay
    if overlay.is_full and services.control.get(kind, id) is None:
        raise ApiError(409, f"there are {overlay.count:,} rules and decisions, which is the most")
    document = services.control.put(kind, id, kept, expected, _expires(services, ending))
    overlay.publish()
    return document


def _shown(document: Document) -> dict[str, Any]:
    return {
        "id": document.id,
        **document.body,
        "version": document.version,
        "changed": document.changed,
        "expires": document.expires,
    }


def _name(text: str) -> str:
    name = listed(text)
    if name is None:
        raise ApiError(422, f"name: {text[:100]!r} is no domain name such as bad.example.org")
    return name


def _pattern(text: str) -> str:
    if not is_usable(text):
        raise ApiError(
            422, f"name: {text[:100]!r} is no RE2 pattern, too large, or matches everything"
        )
    return text


def _expires(services: Services, body: Ending) -> float:
    if body.expires is not None and body.expires_in:
        raise ApiError(422, "expires and expires_in: give one")
    try:
        expires = (
            services.clock() + duration(body.expires_in) if body.expires_in else body.expires or 0.0
        )
    except ValueError as problem:
        raise ApiError(422, f"expires_in: {problem}") from problem
    if 0 < expires <= services.clock():
        raise ApiError(422, "expires: lies in the past")
    if expires > services.clock() + LONGEST * DAY:
        raise ApiError(422, f"expires: the longest is {LONGEST}d; what has no end is for good")
    return expires
