"""Figures of a model that knows nothing but lengths, measured whole."""

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
    return run.evaluate(subject, corpus(), without_lists(), ABOUT, options, lambda what: None, [])
