"""The expressions of all lists, asked at once. Counterparts: `snapshot.py` keeps them, `decide.py` asks."""

from namewarden.policy import layout, settle
from namewarden.policy.patterns import PatternSet, finds
from namewarden.policy.snapshot import Hit, Snapshot


class ListExpressions:
    """The expressions of all lists that no name stands for."""

    def __init__(self, snapshot: Snapshot, before: "ListExpressions | None" = None) -> None:
        each = [hit for hit in snapshot.patterns() if hit.effect != layout.GUARD]
        self._plain = [hit for hit in each if not settle.terms_of(hit).inverts]
        self._inverting = [hit for hit in each if settle.terms_of(hit).inverts]
        sources = [source_of(hit) for hit in self._plain]
        # RE2 lets no other thread run while it compiles many: for 3,000 of them 60 ms without an answer.
        is_same = before is not None and sources == before._set.sources
        self._set: PatternSet = before._set if before and is_same else PatternSet(sources)
        self.count = len(each)

    def find(self, name: str) -> list[Hit]:
        found = [self._plain[at] for at in self._set.search(name)]
        return found + [hit for hit in self._inverting if not finds(source_of(hit), name)]


def source_of(hit: Hit) -> str:
    return hit.record.pattern if hit.record else ""
