"""Figures of a model that knows nothing but lengths, measured whole; and the same as another model's."""

from typing import Any

import msgspec

from namewarden.evaluation import run
from namewarden.evaluation.figures import About, Figures
from namewarden.evaluation.names import without_lists
from namewarden.evaluation.subject import Subject
from tests.evaluation.small import corpus, lengths

ABOUT = About(
    "lengths", "model of lengths", "Counts.", "a command", "today", "a machine", "few", True, 12, ()
)


def measured() -> Figures:
    subject = Subject("lengths", "model of lengths", "Counts.", lengths, lengths)
    options = msgspec.structs.replace(run.QUICK, edited=1, timed=64, rounds=1, per_sort=10)
    return run.evaluate(subject, corpus(), without_lists(), ABOUT, options, lambda what: None)


def named(found: Figures, subject: str, **about: Any) -> Figures:
    """The same, of another subject."""
    changed = msgspec.structs.replace(found.about, subject=subject, **about)
    return msgspec.structs.replace(found, about=changed)
