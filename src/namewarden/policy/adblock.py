"""AdBlock lines → rules, as AdGuard's DNS filtering means them. Counterpart: `formats.py` says which lines are such.

`||x^` is x and all below, `|x^` x alone, `x^` what ends in it, `|x` what begins with it; `*` is anything within a name;
`@@` allows. An address is that of answers (`addresses.py`). What needs more than one look-up becomes an expression,
below the longest suffix that it spells out.
"""

import re
from typing import NamedTuple

from namewarden.policy import addresses, expressions, names, options
from namewarden.policy.lines import Effect, ListRule, Reading, Reason
from namewarden.policy.options import Options
from namewarden.policy.terms import Terms

_COSMETIC = re.compile(r"#[@?$%]{0,2}#(?![#\s]|$)|\$\$|\$@\$")
_SLASHED = re.compile(r"/(.+)/(?:\$(.*))?$")
_SCHEME = re.compile(r"(?:(?:https?|wss?):|:)?//")
_END = re.compile(r"(?:(?::[0-9]{1,5})?(?:[/^]\*|\^\||\|\^|/\^|\^/|[\^|/])|:[0-9]{1,5})$")
_CORE = re.compile(r"[a-z0-9_.*-]+")
_OPTIONS = re.compile(
    r"\$~?(?:important|badfilter|all|dnstype|client|ctag|denyallow|dnsrewrite)\b", re.I
)
_LITERALS = 3  # characters beside stars, without which an expression would find anything


class Shape(NamedTuple):
    """What stands before the options."""

    start: str  # "label" (||), "name" (|) or ""
    core: str
    has_end: bool
    is_bare: bool  # no anchor was written


def is_adblock(line: str) -> bool:
    """Whether a line of a mixed file is AdBlock's."""
    if line.startswith(("||", "@@", "|", "[Adblock")) or is_cosmetic(line):
        return True
    if _SLASHED.match(line):
        return True
    first = line.split()[0]
    if "$" in first and _OPTIONS.search(first):
        return True  # a value may hold a blank
    if first != line or set("()[]\\{}+?") & set(first):
        return False
    return _has_star(first) or (first.endswith(("^", "|", "^/")) and first[0] != "^")


def _has_star(word: str) -> bool:
    """Within a name: `ads*.x`. `*.x` is that of plain lists; `x.*` begins with x for some, and holds it for others."""
    inner = "*" in word and word[-1] != "*" and not word.startswith("*.")
    return inner and bool(_CORE.fullmatch(word.lower()))


def is_cosmetic(line: str) -> bool:
    return bool(_COSMETIC.search(line.split()[0]))


def read(line: str, is_sure: bool = False) -> Reading:
    """One line without blanks around it. `is_sure`: of a list that holds nothing else, so `/word/` is no path."""
    if line.startswith("["):
        return "header"
    if _COSMETIC.search(line):
        return "cosmetic"
    effect: Effect = "allow" if line.startswith("@@") else "own"
    body = line.removeprefix("@@")
    if found := _SLASHED.match(body):
        said = options.read(found[2] or "")
        if isinstance(said, str):
            return said
        is_sure = is_sure or bool(found[2]) or effect == "allow"
        return expressions.slashed(found[1], _effect(effect, said), said, is_sure)
    body, _, text = body.partition("$")
    said = options.read(text)
    if isinstance(said, str):
        return "path" if "/" in _SCHEME.sub("", body, count=1).rstrip("/^*") else said
    if said.terms.rewrites and said.effect is None and effect == "own":
        return "option"
    return _rule(_shape(body.lower()), effect, said)


def _effect(effect: Effect, said: Options) -> Effect:
    return effect if effect == "allow" or said.effect is None else said.effect


def _shape(body: str) -> Shape:
    start, rest = "", body
    if rest.startswith("||"):
        start, rest = "label", rest[2:]
    elif rest.startswith("|"):
        start, rest = "name", rest[1:]
    if scheme := _SCHEME.match(rest):
        start, rest = start or "label", rest[scheme.end() :]
    bare = rest.rstrip("/^|")
    if bare.count(":") > 1:
        return Shape(start, bare, True, False)  # of IPv6: its last group is no port
    end = _END.search(rest)
    core = rest[: end.start()] if end else rest
    if end and core.endswith("."):
        core = core[:-1]  # `x.^`: a name with its final dot
    return Shape(start, core, bool(end), rest == body and not end)


def _rule(shape: Shape, effect: Effect, said: Options) -> Reading:
    terms = said.terms if said.terms != Terms() else None
    core = shape.core
    if not core.strip("*"):
        if not core and not shape.is_bare:
            return "syntax"  # `/`, `|`: nothing is left
        is_some = terms and (terms.spared or terms.is_narrow or terms.clients or terms.is_bad)
        return _everything(effect, said) if is_some else "wildcard"
    if not core.isascii() and "*" not in core:
        core = (names.listed(core) or core).removesuffix(".")
    if addresses.listed(core):
        return "option" if said.terms.rewrites else addresses.read(core, effect, terms)
    if not _CORE.fullmatch(core):
        return _no_name(core)
    if not set(core) - set("0123456789.*"):
        return "address"
    if shape.is_bare and effect == "own" and said.terms == Terms(is_bad=True):
        shape = Shape("name", core, True, False)  # it takes a bare name away
    plain = _plain(shape._replace(core=core))
    chosen = _effect(effect, said)
    if isinstance(plain, tuple):
        return (ListRule(plain[0], plain[1], chosen, records=said.records, terms=terms),)  # type: ignore[arg-type]
    return plain or _expression(shape._replace(core=core), chosen, said)


def _everything(effect: Effect, said: Options) -> Reading:
    return (ListRule(".", "both", _effect(effect, said), records=said.records, terms=said.terms),)


def _no_name(core: str) -> Reason:
    if "/" in core:
        return "path"
    return "unanchored" if "^" in core or "|" in core else "name"


def _plain(shape: Shape) -> tuple[str, str] | Reason | None:
    """(name, match) of what is found by its name; None for an expression."""
    start, core, has_end, _ = shape
    below = core[2:] if core.startswith("*.") else core[1:] if core[0] == "." and not start else ""
    if below and has_end and "*" not in below:
        name = names.listed(below)
        return (name, "below") if name else "name"
    if "*" in core or not (start and (has_end or start == "label")) or core.endswith("."):
        return None
    name = names.listed(core)
    if not has_end and "." not in core:
        return None  # `||ads`: what begins with it
    return (name, "exact" if start == "name" else "both") if name else "name"


_STARTS = {"label": r"(?:^|\.)", "name": "^", "": ""}


def _expression(shape: Shape, effect: Effect, said: Options) -> Reading:
    """What holds a star, or has only one end."""
    core = shape.core.strip("*")
    start = "" if shape.core[0] == "*" else _STARTS[shape.start]
    has_end = shape.has_end and shape.core[-1] != "*"
    if len(core.replace("*", "").replace(".", "")) < _LITERALS or ".." in core:
        return "wildcard"
    source = start + ".*".join(map(re.escape, core.split("*"))) + ("$" if has_end else "")
    suffix = _suffix(core) if has_end else ""
    return expressions.rule(source, effect, said, suffix)


def _suffix(core: str) -> str:
    """The name below which all is that ends like this; empty where it would be a whole TLD."""
    tail = core.rpartition("*")[2]
    suffix = names.listed(tail.partition(".")[2])
    return suffix if suffix and suffix.count(".") > 1 else ""
