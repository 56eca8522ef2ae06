"""The report: one section a part, the sentence that says how it was measured, and what was not."""

from collections.abc import Iterator

from namewarden.evaluation import (
    attacks,
    bias,
    buckets,
    calibration,
    compare,
    detection,
    drift,
    families,
    held_out,
    left_out,
    marks,
    network,
    seed_task,
    speed,
)
from namewarden.evaluation.answers import UNSEEN
from namewarden.evaluation.figures import About, Figures
from namewarden.evaluation.page import NOT_MEASURED

# What the product does or will do beside the name, in the order in which readers ask for it.
ELSEWHERE = ("forecast of generated names", "what a client asks beside the name", "tunnels")

REGISTRY = "`namewarden evaluate --recipe own --learn -`"


def render(figures: Figures) -> str:
    return "\n".join(f"### {title}\n\n{text}" for title, text in sections(figures))


def head(about: About) -> str:
    notes = "".join(f"\n- {note}" for note in about.notes)
    size = " **A quick run: fewer names, wider intervals.**" if about.quick else ""
    return (
        f"`{about.made_with}`, {about.date}. {about.machine}. {about.title[:1].upper()}{about.title[1:]}. "
        f"{about.about}\n\nNames: {about.names}. At most {about.most:,} labels of a family, at even distances of their "
        f"sorted list.{size} The guard list and every popularity look-up are off: band and action are the model's "
        f"alone.\n{notes}\n"
    )


def sections(figures: Figures) -> Iterator[tuple[str, str]]:
    yield "What was measured", head(figures.about)
    yield "What was to be reached", marks.show(marks.judge(figures))
    yield "Found and wrongly found", detection.show(figures.detection)
    if UNSEEN not in figures.detection.groups:
        yield "Families never seen", held_out.show(figures.held)
    yield "Names that came later", drift.show(figures.drift)
    yield "Hard benign names", buckets.show(figures.buckets)
    yield "Leave one generator out", left_out.show(figures.left_out)
    yield "Bias", bias.show(figures.bias)
    yield "Calibration", calibration.show(figures.calibration)
    yield (
        "Families",
        families.show(figures.families) if figures.families else _unmeasured("which family"),
    )
    yield "The cheapest attacks", _attacks(figures)
    yield "Cost", speed.show(figures.speed)
    yield "Beside other models", compare.show(figures.beside)
    yield "From the registry's names alone", _registry(figures)
    yield "The seed's own task", seed_task.show(figures.seed_task)
    yield "Not part of this report", "".join(f"- {what}: {NOT_MEASURED}\n" for what in ELSEWHERE)
    yield "The network", network.show(figures.network, figures.about.about + "\n")
    yield "By family", detection.families_table(figures.detection.groups)


def _attacks(figures: Figures) -> str:
    if figures.attacks is None:
        return f"The cheapest attacks: {NOT_MEASURED} (`--no-attacks`).\n"
    return attacks.show(figures.attacks)


def _registry(figures: Figures) -> str:
    if not figures.registry:
        return f"A model of the registry's names alone: {NOT_MEASURED} ({REGISTRY}).\n"
    return (
        "The same recipe, learned from the package registry's names alone, measured on the same names as the others. "
        f"It learned from none of these families ({REGISTRY}).\n\n{marks.show(figures.registry)}"
    )


def _unmeasured(what: str) -> str:
    return f"{what[:1].upper()}{what[1:]}: {NOT_MEASURED}, the model knows no families.\n"
