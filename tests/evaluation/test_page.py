"""Markdown that a reader gets."""

import pytest

from namewarden.evaluation.page import MARKERS, PageError, between, check, percent, put, table


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.973, "97.3 %"), (0.0094, "0.94 %"), (0.00094, "0.094 %"), (0.000011, "0.0011 %"), (0, "0.0 %")],
)  # fmt: skip
def test_a_share_has_two_figures_that_count(share, text):
    assert percent(share) == text


def test_an_interval_and_a_table():
    assert between(0.1, 0.25) == "10.0–25.0 %"
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |\n"


def test_only_what_is_between_the_markers_is_replaced(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n\n{MARKERS[0]}\nold\n{MARKERS[1]}\nafter\n")
    put(page, "new")
    put(page, "newer\n")
    assert page.read_text() == f"before\n\n{MARKERS[0]}\n\nnewer\n\n{MARKERS[1]}\nafter\n"


def test_a_page_without_markers_is_refused(tmp_path):
    with pytest.raises(PageError, match=r"page.md: it has no lines"):
        put(tmp_path / "page.md", "text")
    with pytest.raises(PageError, match=r"page.md: it has no lines"):
        check(tmp_path / "page.md")
