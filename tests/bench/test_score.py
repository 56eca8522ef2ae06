"""The rate of `score` is measured through the very command, and its figures are printed as they are."""

from bench import score


def test_a_small_run_has_all_figures():
    names = [f"www.n{number}.example{number}.org" for number in range(200)]
    figures = score.measure(names, few=64)
    assert figures.names == 200 and 0 < figures.processor
    assert 0 < figures.single and 0 < figures.batched < figures.single
    text = score.render(figures)
    assert f"{figures.single:.1f} µs" in text and figures.model in text and "200 names" in text
