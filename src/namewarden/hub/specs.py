"""Control data → what policy is made of: lists, groups, rules, decisions. Counterpart: `policy/spec.py`."""

from collections.abc import Container, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from namewarden.hub.control import Control, Document
from namewarden.hub.subscriptions.store import Subscription
from namewarden.policy import chosen
from namewarden.policy.spec import (
    DECISION,
    GroupSpec,
    ListSpec,
    RuleEffect,
    RuleSpec,
    SnapshotSpec,
)

EFFECTS: dict[str, RuleEffect] = {"benign": "allow", "malicious": "deny", "honeypot": "redirect"}


def build_spec(
    control: Control, lists: Sequence[ListSpec], groups: Sequence[GroupSpec], model: str = ""
) -> SnapshotSpec:
    """Settings first, then control data by id. What has expired is left out: `find` does not give it."""
    taken = {entry.name for entry in lists}
    more = [to_list(d) for d in control.find("list") if d.id not in taken]
    all_lists = (*lists, *more)
    known = {entry.name for entry in all_lists}
    base = tuple(groups) or (GroupSpec(name="default"),)
    taken = {group.name for group in base}
    own = [to_group(d, known) for d in control.find("group") if d.id not in taken]
    tokens = [d for d in control.find("token") if d.body["role"] == "source"]
    hashes, expires = tuple(d.body["hash"] for d in tokens), tuple(d.expires for d in tokens)
    groups = (*base, *own)
    # Theirs first, so that the line that decides is the first of all that say something about a name.
    return SnapshotSpec((*chosen.wanted(groups), *all_lists), groups, hashes, model, expires)


def to_list(document: Document) -> ListSpec:
    return msgspec.convert({"name": document.id, **_plain(document.body, ListSpec)}, ListSpec)


def added_subscriptions(control: Control, taken: Container[str]) -> list[Subscription]:
    """Lists by URL that were added by the API; a name of the settings is `taken`."""
    return [
        Subscription(d.id, d.body["url"], d.body["allow_private"])
        for d in control.find("list")
        if d.body.get("url") and d.id not in taken
    ]


def to_group(document: Document, known: set[str]) -> GroupSpec:
    """A list that is gone meanwhile is not asked for."""
    group = msgspec.convert({"name": document.id, **_plain(document.body, GroupSpec)}, GroupSpec)
    if group.lists is None:
        return group
    return msgspec.structs.replace(
        group, lists=tuple(name for name in group.lists if name in known)
    )


def to_rule(document: Document) -> RuleSpec:
    """A rule, or a vetted decision: its verdict says the effect."""
    body = document.body
    return RuleSpec(
        id=document.id if document.kind == "rule" else DECISION,  # its id is the name beside it
        name=body["name"],
        effect=EFFECTS[body["verdict"]] if document.kind == "decision" else body["effect"],
        match=body["match"],
        groups=tuple(body["groups"]),
        expires=document.expires,
        reason=body["reason"],
    )


def _plain(body: Mapping[str, Any], kind: type[Struct]) -> dict[str, Any]:
    return {name: body[name] for name in kind.__struct_fields__ if name in body}
