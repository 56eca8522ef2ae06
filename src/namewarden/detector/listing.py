"""What `namewarden score` prints: names in, one line each out, in order, by the model alone (no lists, no guard,
mode enforce).

What is no name gets the band `error`; a name that the model does not judge (single labels, reverse zones, what
has no public suffix) has an empty band. Both have score 0.0 in TSV and null in JSON lines.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Literal, get_args

import msgspec

from namewarden.detector.judge import ModelPolicy, judge
from namewarden.detector.label import Kind, Labels, Scorable, Unscored
from namewarden.detector.names import normal
from namewarden.detector.score import Scorer
from namewarden.query import Band, Score, Verdict

FIRST, BATCH = 64, 4096  # the first lines come soon; larger batches are no faster
Format = Literal["tsv", "jsonl"]
What = Scorable | Unscored | None
Said = dict[tuple[Kind, Band] | None, Verdict]
_NO_NAME = Unscored("malformed")


def lines(
    names: Iterable[str],
    scorer: Scorer,
    labels: Labels,
    form: Format = "tsv",
    passed: "Counter[str] | None" = None,
) -> Iterator[str]:
    """One line a name, without its line end; names are read as they are needed, some thousands ahead. `passed` counts
    why names were not judged."""
    said, notify, find = _verdicts(scorer), _SAY[form], labels.find
    for batch in _batches(names):
        plain = [normal(name) for name in batch]
        whats = [None if name is None else find(name) for name in plain]
        scores = iter(scorer.score_batch([w.judged for w in whats if isinstance(w, Scorable)]))
        for given, what in zip(batch, whats, strict=True):
            if isinstance(what, Scorable):
                score = next(scores)
                yield notify(shown(given), what, score, said[what.kind, score.band])
            else:
                if passed is not None:
                    passed[what.reason if what else "no_name"] += 1
                yield notify(shown(given), what, None, said[None])


def _batches(names: Iterable[str]) -> Iterator[list[str]]:
    rest, size = iter(names), FIRST
    while batch := [name.rstrip("\r\n") for name in islice(rest, size)]:
        yield batch
        size = min(4 * size, BATCH)


def _verdicts(scorer: Scorer) -> Said:
    """The model's verdict depends on the kind of suffix and the band alone; None: not judged."""
    limits = scorer.thresholds
    found: Said = {None: judge(_NO_NAME, None, limits, ModelPolicy())}
    for kind in get_args(Kind):
        for band in ("benign", "uncertain", "malicious"):
            score = Score(0.0, 0.0, band, "", scorer.model)
            found[kind, band] = judge(Scorable("", kind, "", ""), score, limits, ModelPolicy())
    return found


def shown(given: str) -> str:
    """As given, but nothing in it can end a field or a line or move a terminal's cursor."""
    if given.isprintable():
        return given
    return "".join(
        c
        if c.isprintable()
        else "".join(f"\\{octet:03d}" for octet in c.encode("utf-8", "replace"))
        for c in given
    )


def _tsv(name: str, what: What, score: Score | None, said: Verdict) -> str:
    if score is None:
        return f"{name}\t0.0\t{'' if what else 'error'}\t\t{said.action}"
    return f"{name}\t{score.probability!r}\t{score.band}\t{score.family}\t{said.action}"


def _jsonl(name: str, what: What, score: Score | None, said: Verdict) -> str:
    fields = {
        "name": name,
        "label": what.label if isinstance(what, Scorable) else None,
        "unscored": what.reason if isinstance(what, Unscored) else None,
        "score": score.probability if score else None,
        "logit": score.logit if score else None,
        "p_value": score.p_value if score else None,
        "band": said.band if what else "error",
        "family": score.family if score else "",
        "action": said.action,
        "reason": said.reason,
        "model": said.model,
    }
    return msgspec.json.encode(fields).decode()


_SAY = {"tsv": _tsv, "jsonl": _jsonl}
