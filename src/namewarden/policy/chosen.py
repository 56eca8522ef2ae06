"""Blocked services and safe search: lists of our own making, which groups ask for by name.

Each is a file of this package, an AdBlock list as any other, whose head says where its names are from: of a service
what is blocked, of an engine what is answered with a CNAME. Counterparts: `spec.py` (what a group asks for),
`decide.py` (their lines come before all other lists, local rules before them).
"""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Literal

from msgspec import Struct

from namewarden.policy.spec import GroupSpec, ListSpec
from namewarden.settings import Group

Kind = Literal["service", "safe-search"]
KINDS: dict[Kind, str] = {
    "service": "services",
    "safe-search": "safe_search",
}  # the folder, and the key of a group
_HERE = Path(__file__).parent
_HEAD = re.compile(r"^! (Title|Source|Date): (.+)$", re.M)


class Described(Struct, frozen=True):
    """What there is to know of one."""

    name: str  # as groups ask for it
    title: str
    sources: tuple[str, ...]
    date: str  # when its names were looked at last
    names: int


def known(kind: Kind) -> tuple[str, ...]:
    """The names there are, in order."""
    return tuple(path.stem for path in _paths(kind))


@lru_cache
def _paths(kind: Kind) -> tuple[Path, ...]:
    return tuple(sorted((_HERE / KINDS[kind]).glob("*.txt"), key=lambda path: path.stem))


def described(kind: Kind) -> list[Described]:
    found = []
    for path in _paths(kind):
        text = path.read_text()
        said = _HEAD.findall(text)
        sources = tuple(value for key, value in said if key == "Source")
        head = dict(said)
        lines = text.count("\n") - len(said)
        found.append(Described(path.stem, head["Title"], sources, head["Date"], lines))
    return found


def problems(kind: Kind, wanted: Iterable[str]) -> list[str]:
    """What is asked for and is not there, each with the names that are near."""
    there = known(kind)
    return [
        f"{KINDS[kind]}: there is no {name!r} ({_near(name, there)}; `namewarden services` has all)"
        for name in wanted
        if name not in there
    ]


def problems_of(groups: Iterable[Group]) -> list[str]:
    """Of the groups of the settings, each with its key."""
    return [
        f"groups.{place}.{problem}"
        for place, group in enumerate(groups)
        for problem in (
            *problems("service", group.services),
            *problems("safe-search", group.safe_search),
        )
    ]


def _near(name: str, there: Sequence[str]) -> str:
    near = get_close_matches(name.lower(), there, 3, 0.5) or there[:3]
    return f"near: {', '.join(near)}"


def list_name(kind: Kind, name: str) -> str:
    """What its list is called: no list of a user has a colon."""
    return f"{kind}:{name}"


def is_ours(name: str) -> bool:
    """Of a list's name."""
    return ":" in name


def asked_by(group: GroupSpec) -> tuple[str, ...]:
    """The names of the lists that a group asks for beside its `lists`: services, then safe search."""
    services = [list_name("service", name) for name in group.services]
    return (*services, *(list_name("safe-search", name) for name in group.safe_search))


def wanted(groups: Iterable[GroupSpec]) -> tuple[ListSpec, ...]:
    """The lists that some group asks for, as far as they are there; services first."""
    asked = {name for group in groups for name in asked_by(group)}
    found = []
    for kind in KINDS:
        for path in _paths(kind):
            name = list_name(kind, path.stem)
            if name in asked:
                found.append(ListSpec(name, str(path), "deny", "adblock", True))
    return tuple(found)


def ranks_of(group: GroupSpec, lists: Sequence[str]) -> frozenset[int] | None:
    """The places of the lists that a group uses; None where it uses all there are."""
    ordinary = [name for name in lists if not is_ours(name)]
    if group.lists is None and len(ordinary) == len(lists):
        return None
    used = (*(ordinary if group.lists is None else group.lists), *asked_by(group))
    return frozenset(lists.index(name) for name in used if name in lists)
