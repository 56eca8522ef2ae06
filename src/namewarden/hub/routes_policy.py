"""Lists and groups: those of the settings, which stay as they are, and those added here."""

from pathlib import Path as File
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Header, Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from namewarden.hub.control import Document
from namewarden.hub.gate import ApiError
from namewarden.hub.routes_subscriptions import shown
from namewarden.hub.services import HubServices, Services, Who, needs, note
from namewarden.hub.version import expected_version
from namewarden.policy import chosen
from namewarden.policy.check import odd
from namewarden.policy.spec import GroupSpec
from namewarden.query import BlockMode, ModelMode
from namewarden.settings import (
    Address,
    ListFormat,
    Network,
    Word,
    check_block,
    check_url,
    plain_network,
    shown_url,
)

router = APIRouter(tags=["policy"])
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
IfMatch = Annotated[str | None, Header()]


class PutList(BaseModel):
    model_config = ConfigDict(extra="forbid")
    file: str = Field("", pattern=r"^[^\x00-\x1f\x7f]{0,200}$")
    """Name of a file in the installation's `lists` folder; or `url`."""
    url: Annotated[str, AfterValidator(check_url)] = Field("", max_length=2000)
    """http:// or https://."""
    allow_private: bool = False
    """Whether the URL may lead to this machine, or to a server of one's own network."""
    kind: Literal["deny", "allow"] = "deny"
    format: ListFormat = "auto"
    broad: bool = False
    """Whether lines that reach more than one in a hundred popular names are taken, too."""
    version: int | None = None


class PutGroup(BaseModel):
    model_config = ConfigDict(extra="forbid")
    clients: list[Network] = Field(max_length=1000)
    lists: list[Word] | None = Field(None, max_length=1000)
    mode: ModelMode | None = None
    block: BlockMode | None = None
    ttl: int | None = Field(None, ge=0, le=86_400)
    addresses: list[Address] | None = Field(None, max_length=16)
    redirect: list[Address] | None = Field(None, max_length=16)
    services: list[Word] | None = Field(None, max_length=1000)
    """Blocked services, by the names that `/services` has."""
    safe_search: list[Word] | None = Field(None, max_length=100)
    """Engines, likewise."""
    version: int | None = None


@router.get("/lists", dependencies=[needs("viewer")])
def lists(services: HubServices) -> dict[str, Any]:
    """All lists, in the order in which they decide, with what became of their lines."""
    reports = {report["name"]: report for report in services.publisher.state.report}
    fixed = [
        _shown(entry.name, msgspec.structs.asdict(entry), "settings", 0, reports)
        | shown(services.subscriptions.of(entry.name))
        for entry in services.publisher.lists
    ]
    asked_for = [
        _shown(entry.name, msgspec.structs.asdict(entry), "services", 0, reports) | shown(None)
        for entry in chosen.wanted(services.publisher.spec().groups)
    ]
    names = {entry.name for entry in services.publisher.lists}
    added = [
        _shown(d.id, d.body, "api", d.version, reports)
        | shown(services.subscriptions.of(d.id) if d.body.get("url") else None)
        for d in services.control.find("list")
        if d.id not in names
    ]
    for each in fixed + added:  # why there is no newer copy says more than what became of none
        if each["subscription"] and (problem := each["subscription"]["error"]):
            each["error"], each["stale"] = problem, each["subscription"]["good"] > 0
    state = services.publisher.state
    return {
        "lists": asked_for + fixed + added,
        "snapshot": {
            "generation": state.generation,
            "time": state.time,
            "pending": services.publisher.is_pending,
        },
        "problem": "; ".join(services.publisher.problems),
    }


def _shown(
    name: str, body: dict[str, Any], source: str, version: int, reports: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    report = reports.get(name, {})
    return {
        "name": name,
        "file": File(body["path"]).name,
        "kind": body["kind"],
        "format": body["format"],
        "source": source,
        "version": version,
        "compiled": bool(report),
        "lines": report.get("lines", 0),
        "rules": report.get("rules", 0),
        "skipped": report.get("skipped", {}),
        "skipped_lines": odd(report.get("skipped", {})),
        "broad": body.get("broad", False),
        "keep": body.get("keep", 0),
        "kept": report.get("kept", 0),
        "refused": [{"line": line, "popular": count} for line, count in report.get("refused", [])],
        "error": report.get("error", ""),
        "stale": report.get("stale", False),
    }


@router.put("/lists/{name}", dependencies=[needs("administrator")])
def put_list(
    name: Name, body: PutList, who: Who, services: HubServices, if_match: IfMatch = None
) -> dict[str, Any]:
    """Subscribe to a URL or a file of the `lists` folder, or change how it is read."""
    _not_of_settings("list", name, {entry.name for entry in services.publisher.lists})
    if bool(body.file) == bool(body.url):
        raise ApiError(422, "a list is a file or a url")
    kept = {
        "path": str(
            services.subscriptions.path_of(name) if body.url else _inside(services, body.file)
        ),
        "kind": body.kind,
        "format": body.format,
        "broad": body.broad,
        "url": body.url,
        "allow_private": body.allow_private,
    }
    document = services.control.put(
        "list", name, kept, expected_version(if_match, body.version, None)
    )
    services.subscriptions.look()
    note(services, who, "put list", name, {**kept, "url": shown_url(body.url)})
    return {"name": name, "version": document.version}


def _inside(services: Services, file: str) -> File:
    """A file of that folder and no other: a list must not be a way to read the machine."""
    folder = services.lists_folder.resolve()
    path = (folder / file).resolve()
    if not path.is_relative_to(folder) or not path.is_file():
        raise ApiError(422, f"file: there is no {file!r} in the installation's lists folder")
    return path


@router.delete("/lists/{name}", dependencies=[needs("administrator")])
def delete_list(
    name: Name, who: Who, services: HubServices, if_match: IfMatch = None
) -> dict[str, bool]:
    _not_of_settings("list", name, {entry.name for entry in services.publisher.lists})
    if not services.control.remove("list", name, expected_version(if_match, None, None)):
        raise ApiError(404, f"there is no list {name}")
    services.subscriptions.look()
    note(services, who, "delete list", name, {})
    return {"ok": True}


@router.get("/services", dependencies=[needs("viewer")])
def known_services() -> dict[str, Any]:
    """What groups may ask for: services to be blocked, engines to be asked for safe results, each with its sources."""
    return {
        key: [msgspec.structs.asdict(each) for each in chosen.described(kind)]
        for kind, key in chosen.KINDS.items()
    }


@router.get("/groups", dependencies=[needs("viewer")])
def groups(services: HubServices) -> dict[str, Any]:
    """Clients with lists and modes of their own."""
    fixed = [
        {**msgspec.structs.asdict(group), "source": "settings", "version": 0}
        for group in services.publisher.groups
    ]
    names = {group.name for group in services.publisher.groups}
    return {
        "groups": fixed + [_group(d) for d in services.control.find("group") if d.id not in names]
    }


def _group(document: Document) -> dict[str, Any]:
    return {
        "name": document.id, **document.body, "source": "api", "version": document.version,
    }  # fmt: skip


@router.put("/groups/{name}", dependencies=[needs("administrator")])
def put_group(
    name: Name, body: PutGroup, who: Who, services: HubServices, if_match: IfMatch = None
) -> dict[str, Any]:
    """What is not given is as in the group `default`."""
    _not_of_settings(
        "group", name, {"default", *(group.name for group in services.publisher.groups)}
    )
    known = {entry.name for entry in services.publisher.spec().lists}
    missing = [entry for entry in body.lists or () if entry not in known]
    if missing:
        have = ", ".join(sorted(known)) or "none"
        raise ApiError(422, f"lists: {', '.join(missing)} not there (lists: {have})")
    wrong = [
        *chosen.problems("service", body.services or ()),
        *chosen.problems("safe-search", body.safe_search or ()),
    ]
    if wrong:
        raise ApiError(422, "; ".join(wrong))
    _not_of_others(services, name, body.clients)
    given = body.model_dump(exclude={"version"}, exclude_none=True)
    kept = {**_defaults(services), **given}
    try:
        check_block(kept["block"], kept["addresses"])
    except ValueError as problem:
        raise ApiError(422, f"block: {problem}") from problem
    document = services.control.put(
        "group", name, kept, expected_version(if_match, body.version, None)
    )
    note(services, who, "put group", name, kept)
    return _group(document)


def _not_of_others(services: Services, name: str, clients: list[str]) -> None:
    """A network is in one group, whoever wrote it there."""
    if twice := sorted({each for each in clients if clients.count(each) > 1}):
        raise ApiError(422, f"clients: network {twice[0]!r} is there twice")
    for group in services.publisher.spec().groups:
        taken = {str(plain_network(each)) for each in group.clients}
        if group.name != name and (both := sorted(taken.intersection(clients))):
            raise ApiError(422, f"clients: network {both[0]!r} is in the group {group.name!r}")


def _defaults(services: Services) -> dict[str, Any]:
    groups = {group.name: group for group in services.publisher.groups}
    values = msgspec.structs.asdict(groups.get("default", GroupSpec("default")))
    inherited = (
        "lists", "mode", "block", "ttl", "addresses", "redirect", "services", "safe_search",
    )  # fmt: skip
    return {name: values[name] for name in inherited}


@router.delete("/groups/{name}", dependencies=[needs("administrator")])
def delete_group(
    name: Name, who: Who, services: HubServices, if_match: IfMatch = None
) -> dict[str, bool]:
    _not_of_settings(
        "group", name, {"default", *(group.name for group in services.publisher.groups)}
    )
    if not services.control.remove("group", name, expected_version(if_match, None, None)):
        raise ApiError(404, f"there is no group {name}")
    note(services, who, "delete group", name, {})
    return {"ok": True}


def _not_of_settings(kind: str, name: str, fixed: set[str]) -> None:
    if name in fixed:
        raise ApiError(409, f"{kind} {name} belongs to the settings file; change it there")
