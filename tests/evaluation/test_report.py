"""The report has all sections, in one order, and says what it has not."""

from namewarden.evaluation.report import render, sections
from tests.evaluation.figure import measured


def test_every_part_has_a_section():
    found = measured()
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
    ):
        assert words in text, words
