"""Families that nothing was learned from, as the packaged model's recipe finds them when it is fitted without them.

The packaged model has seen all families; what it would find of new ones is what its recipe finds of these.
"""

from collections.abc import Sequence

from namewarden.evaluation.answers import CHOSEN, UNSEEN
from namewarden.evaluation.detection import families_table, means_table
from namewarden.evaluation.figures import Figures, HeldOut
from namewarden.evaluation.page import NOT_MEASURED

SUBJECT = "recipe-own"


def pick(others: Sequence[Figures]) -> HeldOut | None:
    """None where the recipe was not measured."""
    found = next((it for it in others if it.about.subject == SUBJECT), None)
    if found is None or UNSEEN not in found.detection.groups:
        return None
    groups = {
        name: group
        for name, group in found.detection.groups.items()
        if name.startswith((CHOSEN, UNSEEN))
    }
    unknown = found.families.unknown if found.families else None
    return HeldOut(found.about.title, groups, unknown)


def show(held: HeldOut | None) -> str:
    if held is None:
        return (
            f"Families never seen: {NOT_MEASURED}, none was kept away (`namewarden evaluate --recipe own` fits the "
            "recipe without some and measures these).\n"
        )
    unknown = NOT_MEASURED if held.unknown is None else f"{held.unknown:.4f}"
    return "\n".join(
        [
            f"The packaged model has seen all families. These are of its recipe, fitted without them ({held.title}): "
            "not the weights that the rest is about.\n",
            means_table(held.groups),
            f'Area of "this family is none I know" between them and the families it learned: {unknown}.\n',
            families_table(held.groups),
        ]
    )
