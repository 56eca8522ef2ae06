"""The report: one section a part, the sentence that says how it was measured, and what was not."""

from collections.abc import Iterator

from namewarden.evaluation import (
    attacks,
    bias,
    buckets,
    calibration,
    detection,
    drift,
    families,
    left_out,
    marks,
    network,
    speed,
)
from namewarden.evaluation.figures import About, Figures
from namewarden.evaluation.page import NOT_MEASURED

# What the product does or will do beside the name, in the order in which readers ask for it.
ELSEWHERE = ("forecast of generated names", "what a client asks beside the name", "tunnels")


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
    yield "Names that came later", drift.show(figures.drift)
    yield "Hard benign names", buckets.show(figures.buckets)
    yield "Leave one generator out", left_out.show(figures.left_out)
    yield "Bias", bias.show(figures.bias)
    yield "Calibration", calibration.show(figures.calibration)
    yield (
        "Families",
        families.show(figures.families) if figures.families else _unmeasured("which family"),
    )
    yield "The cheapest attacks", attacks.show(figures.attacks)
    yield "Cost", speed.show(figures.speed)
    yield "Not part of this report", "".join(f"- {what}: {NOT_MEASURED}\n" for what in ELSEWHERE)
    yield "The network", network.show(figures.network, figures.about.about + "\n")
    yield "By family", detection.show_families(figures.detection)


def _unmeasured(what: str) -> str:
    return f"{what[:1].upper()}{what[1:]}: {NOT_MEASURED}, the model knows no families.\n"
