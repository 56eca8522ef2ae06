"""Which of the lines that lists have about a name decides: terms, `$badfilter`, the most labels, `$important`.

Counterpart: `decide.py`, which asks it where a line has more to say than its name.
"""

from collections.abc import Collection, Iterator
from itertools import chain
from typing import NamedTuple

from msgspec.structs import replace

from namewarden.policy import layout
from namewarden.policy.records import ListRecord
from namewarden.policy.snapshot import Hit
from namewarden.policy.terms import Asked, Terms, applies

_NONE = Terms()


class Kinds(NamedTuple):
    """Which lists are not like the others, by rank: those of allowed names, and those that groups ask for by name."""

    allowing: Collection[int]
    chosen: Collection[int]


def ordered(hits: list[Hit], name: str, asked: Asked, kinds: Kinds) -> list[Hit]:
    """Those that speak, the one that decides first.

    What groups ask for by name comes before all other lists: they want it so, whatever strangers allow. Of that a
    blocked service comes before safe search.
    """
    chosen = [hit for hit in hits if hit.list in kinds.chosen] if kinds.chosen else []
    if not chosen:
        return _weighed(hits, name, asked, kinds.allowing)
    blocked = [hit for hit in chosen if hit.record is None]
    rewritten = [hit for hit in chosen if hit.record is not None]
    others = [hit for hit in hits if hit.list not in kinds.chosen]
    return [
        *blocked,
        *settle(rewritten, name, asked, kinds.allowing),
        *_weighed(others, name, asked, kinds.allowing),
    ]


def _weighed(hits: list[Hit], name: str, asked: Asked, allowing: Collection[int]) -> list[Hit]:
    if is_needed(hits):
        return settle(hits, name, asked, allowing)
    return sorted(hits, key=lambda hit: hit.effect != layout.ALLOW)


def is_needed(hits: Collection[Hit]) -> bool:
    """Whether any of them has more to say than its name."""
    return any(hit.record is not None for hit in hits)


def settle(hits: list[Hit], name: str, asked: Asked, allowing: Collection[int]) -> list[Hit]:
    """Those that speak, the strongest first. `allowing`: the ranks of allow lists, which beat all lists that deny."""
    speaking = [hit for hit in hits if applies(terms_of(hit), name, asked)]
    speaking = _mapped(_rewritten(_lifted(_without_bad(speaking))))
    return sorted(speaking, key=lambda hit: _weakness(hit, allowing))


def terms_of(hit: Hit) -> Terms:
    return hit.record.terms or _NONE if hit.record else _NONE


def _without_bad(hits: list[Hit]) -> list[Hit]:
    """Less those that `$badfilter` takes away, in whatever list."""
    bad = {_key(hit, replace(terms_of(hit), is_bad=False)) for hit in hits if terms_of(hit).is_bad}
    if not bad:
        return hits
    return [hit for hit in hits if not terms_of(hit).is_bad and _key(hit, terms_of(hit)) not in bad]


def _key(hit: Hit, terms: Terms) -> tuple[object, ...]:
    pattern, records = (hit.record.pattern, tuple(hit.record.records)) if hit.record else ("", ())
    return hit.depth, hit.match, hit.effect, pattern, terms, records


def _lifted(hits: list[Hit]) -> list[Hit]:
    """The most labels win: less plain denials of fewer labels than a line that has its name asked as usual."""
    asking = [hit for hit in hits if hit.effect == layout.ASK]
    if not asking:
        return hits
    deepest = max(asking, key=lambda hit: hit.depth)
    others = [hit for hit in hits if hit.effect != layout.ASK]
    left = [hit for hit in others if not _is_above(hit, deepest.depth)]
    return left if len(left) == len(others) else [*left, deepest]


def _is_above(hit: Hit, depth: int) -> bool:
    is_plain = hit.effect == layout.DENY and not hit.zone and not terms_of(hit).important
    return is_plain and hit.depth < depth and not (hit.record and hit.record.pattern)


def _rewritten(hits: list[Hit]) -> list[Hit]:
    """`$dnsrewrite`: less what an allow takes away; a code before a CNAME, a CNAME before other records together."""
    answers = [hit for hit in hits if terms_of(hit).rewrites]
    if not answers:
        return hits
    allowed = [hit for hit in answers if hit.effect == layout.ALLOW]
    left = [
        hit
        for hit in answers
        if hit.effect != layout.ALLOW and not any(_takes_away(one, hit) for one in allowed)
    ]
    others = [hit for hit in hits if not terms_of(hit).rewrites]
    return [*_answering(left), *others]


def _takes_away(allow: Hit, answer: Hit) -> bool:
    wanted, said = _records(allow), _records(answer)
    return not wanted or [(kind, text) for kind, _, text in wanted] == [
        (kind, text) for kind, _, text in said
    ]


def _records(hit: Hit) -> list[tuple[str, int, str]]:
    return hit.record.records if hit.record else []


def _answering(hits: list[Hit]) -> Iterator[Hit]:
    codes = [hit for hit in hits if hit.effect != layout.RECORD]
    aliases = [hit for hit in hits if any(kind == "CNAME" for kind, _, _ in _records(hit))]
    if first := (codes or aliases or hits)[:1]:
        hit, record = first[0], first[0].record
        if not codes and not aliases and isinstance(record, ListRecord):
            records = list(chain.from_iterable(map(_records, hits)))
            hit = replace(hit, record=replace(record, records=records))
        yield hit


def _mapped(hits: list[Hit]) -> list[Hit]:
    """The addresses that hosts lines give a name, together: one line for IPv4, one for IPv6."""
    mapping = [hit for hit in hits if is_mapping(hit)]
    first = mapping[0].record if mapping else None
    if len(mapping) < 2 or first is None:
        return hits
    records = list(dict.fromkeys(chain.from_iterable(map(_records, mapping))))
    whole = replace(mapping[0], record=replace(first, records=records))
    return [whole if hit is mapping[0] else hit for hit in hits if hit not in mapping[1:]]


def is_mapping(hit: Hit) -> bool:
    """Whether a hosts line gives the name an address."""
    is_data = hit.effect == layout.RECORD and not hit.zone and bool(_records(hit))
    return is_data and not terms_of(hit).rewrites and not (hit.record and hit.record.pattern)


def _weakness(hit: Hit, allowing: Collection[int]) -> int:
    terms = terms_of(hit)
    if hit.effect == layout.ASK:
        return 7
    is_allow = hit.effect == layout.ALLOW
    if is_allow and hit.list in allowing:
        return 0
    if terms.rewrites:
        return 1
    if terms.important:
        return 2 if is_allow else 3
    return 4 if is_allow else 5 if is_mapping(hit) else 6
