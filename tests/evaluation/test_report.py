"""The report has all sections, in one order, and says what it has not."""

import msgspec

from namewarden.evaluation.figures import ModelMark
from namewarden.evaluation.held_out import pick
from namewarden.evaluation.report import render, sections
from tests.evaluation.figure import measured, named


def test_every_part_has_a_section():
    found = measured()
    assert "Families never seen" not in [title for title, _ in sections(found)]  # they are above
    titles = [title for title, _ in sections(found)]
    assert (
        titles[:2] == ["What was measured", "What was to be reached"] and titles[-1] == "By family"
    )
    text = render(found)
    assert "A quick run" in text
    for words in (
        "Which family: not measured",
        "forecast of generated names: not measured",
        "what a client asks beside the name: not measured",
        "tunnels: not measured",
        "top-level domain not measured",
        "Other models: not measured",
        "A model of the registry's names alone: not measured",
        "The seed's own task: not measured",
    ):
        assert words in text, words


def test_what_other_runs_found_has_its_sections():
    found = measured()
    groups = {"known": found.detection.groups["known"]}
    seen = msgspec.structs.replace(
        found, detection=msgspec.structs.replace(found.detection, groups=groups), attacks=None
    )
    text = dict(sections(seen))
    assert "Families never seen: not measured" in text["Families never seen"]
    assert "not measured (`--no-attacks`)" in text["The cheapest attacks"]
    held = pick([named(found, "recipe-own", title="recipe own")])
    marks = [ModelMark("known families", "all", "some", False)]
    text = dict(sections(msgspec.structs.replace(seen, held=held, registry=marks)))
    assert "| unseen | tinba |" in text["Families never seen"]
    assert "| known families | all | some | **no** |" in text["From the registry's names alone"]
