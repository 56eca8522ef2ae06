"""Pauses: for a while nothing is blocked, for all clients or those of a group. Each is a rule with an id of its own.

Counterparts: `client.py` makes and ends them, the status tells of them.
"""

from collections.abc import Iterable
from typing import Any
from zlib import crc32

EVERY_NAME = "."  # as an expression
_ID = "pause"


def pause_id(group: str) -> str:
    """Of its rule. An id has letters, digits, - and _; the digest keeps `a.b` and `a_b` apart."""
    if not group:
        return _ID
    word = "".join(char if char.isalnum() else "_" for char in group)
    return f"{_ID}-{word[:40]}-{crc32(group.encode()):08x}"


def pause_rule(group: str, time: str) -> dict[str, Any]:
    """What the API is given."""
    body = {"name": EVERY_NAME, "match": "pattern", "effect": "allow", "reason": "paused"}
    return {**body, "groups": [group] if group else [], "expires_in": time}


def pauses(rules: Iterable[tuple[str, dict[str, Any], float]], now: float) -> list[dict[str, Any]]:
    """Of rules (id, what it says, when it ends) those that are pauses: for whom ("" = all), and until when."""
    found = []
    for id, body, expires in rules:
        group = "".join(body["groups"][:1])
        if id == pause_id(group) and body["name"] == EVERY_NAME and expires > now:
            found.append({"group": group, "expires": expires})
    return found
