"""What `namewarden score` prints: names in, one line each out, in order, by the model alone (no lists, no guard,
mode enforce).

What is no name gets the band `error`; a name that the model does not judge (single labels, reverse zones, what
has no public suffix) has an empty band. Both have score 0.0 in TSV and null in JSON lines.
"""

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from namewarden.detector.judge import Stance, judge
from namewarden.detector.label import Labels, Scorable, Unscored
from namewarden.detector.score import Scorer
from namewarden.query import Score, Verdict

BATCH = 1024
Format = Literal["tsv", "jsonl"]


def lines(
    names: Iterable[str], scorer: Scorer, labels: Labels, form: Format = "tsv"
) -> Iterator[str]:
    """One line a name, without its line end; names are read and judged 1,024 at a time."""
    for batch in _batches(names):
        plain = [_normal(name) for name in batch]
        whats = [labels.scored(name) if name else None for name in plain]
        scores = iter(scorer.score_batch([w.label for w in whats if isinstance(w, Scorable)]))
        for given, what in zip(batch, whats, strict=True):
            score = next(scores) if isinstance(what, Scorable) else None
            yield _SAY[form](_shown(given), what, score, _verdict(what, score, scorer))


def _batches(names: Iterable[str]) -> Iterator[list[str]]:
    batch = []
    for name in names:
        batch.append(name.rstrip("\r\n"))
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _normal(given: str) -> str | None:
    """The lower-case FQDN of what was given, or None when that cannot be a name."""
    name = given.strip().lower().removesuffix(".")
    fits = name.isascii() and name.isprintable() and " " not in name and 0 < len(name) <= 253
    return name + "." if fits and all(0 < len(part) <= 63 for part in name.split(".")) else None


def _shown(given: str) -> str:
    """As given, but nothing in it can end a field or a line or move a terminal's cursor."""
    if given.isprintable():
        return given
    return "".join(
        c
        if c.isprintable()
        else "".join(f"\\{octet:03d}" for octet in c.encode("utf-8", "replace"))
        for c in given
    )


def _verdict(what: Scorable | Unscored | None, score: Score | None, scorer: Scorer) -> Verdict:
    return judge(what or Unscored("malformed"), score, scorer.thresholds, Stance())


def _tsv(name: str, what: Scorable | Unscored | None, score: Score | None, said: Verdict) -> str:
    band = said.band if what else "error"
    probability = score.probability if score else 0.0
    return f"{name}\t{probability!r}\t{band}\t{said.family}\t{said.action}"


def _jsonl(name: str, what: Scorable | Unscored | None, score: Score | None, said: Verdict) -> str:
    fields = {
        "name": name,
        "label": what.label if isinstance(what, Scorable) else None,
        "unscored": what.reason if isinstance(what, Unscored) else None,
        "score": score.probability if score else None,
        "logit": score.logit if score else None,
        "p_value": score.p_value if score else None,
        "band": said.band if what else "error",
        "family": said.family,
        "action": said.action,
        "reason": said.reason,
        "model": said.model,
    }
    return msgspec.json.encode(fields).decode()


_SAY = {"tsv": _tsv, "jsonl": _jsonl}
