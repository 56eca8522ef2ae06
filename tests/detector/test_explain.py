"""Why: each character replaced in turn, in one batch; what is said is the model's own arithmetic."""

import msgspec
import numpy as np
import pytest

from namewarden.detector.explain import LONGEST, SPANS, STAND_INS, explain, lines, replaced, spans
from namewarden.detector.label import Labels, Scorable, Unscored
from namewarden.detector.model import Model
from namewarden.query import Score
from tests.detector.networks import CLASSES, voting, write
from tests.detector.scorers import LIMITS, Lengths, score_of

LABELS = Labels([])


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = write(
        tmp_path_factory.mktemp("by-hand") / "model",
        voting(),
        family_classes=CLASSES,
        family_threshold=0.5,
    )
    return Model(folder)


def of(label):
    return Scorable(label, "icann", f"{label}.org", f"{label}.org")


def test_contributions_are_what_the_log_odds_lose(model):
    """Anything but a, b or c in their place turns +1 into -1, and nothing else matters."""
    said = explain(of("aaxbbb-c"), model)
    assert said.logit == 4.0
    assert said.contributions == (2, 2, 0, 2, 2, 2, 0, 2)
    assert (said.band, said.family, said.action) == ("malicious", "beta", "block")
    assert [(span.begin, span.text, span.contribution) for span in said.spans] == [
        (3, "bbb", 6),
        (0, "aa", 4),
        (7, "c", 2),
    ]


def test_one_batch_whatever_the_length():
    scorer = Lengths()
    explain(of("x" * 63), scorer)
    assert [len(batch) for batch in scorer.batches] == [2 + 63 * len(STAND_INS)]
    assert scorer.batches[0][:3] == ["x" * 63 + ".org", "x" * 63, STAND_INS[0] + "x" * 62]
    assert {len(label) for label in scorer.batches[0][1:]} == {63}


def test_a_contribution_is_a_mean_over_what_could_be_there():
    """On the packaged model the few that stand in say what all letters and digits would say."""
    model = Model()
    label = "weathervzqkxjp"
    (logit,) = [score.logit for score in model.score_batch([label])]
    every = [
        [label[:at] + other + label[at + 1 :] for other in "abcdefghijklmnopqrstuvwxyz0123456789"]
        for at in range(len(label))
    ]
    wanted = [logit - np.mean([s.logit for s in model.score_batch(row)]) for row in every]
    found = explain(of(label), model).contributions
    assert np.corrcoef(found, wanted)[0, 1] > 0.9
    assert len(replaced(label)) == len(STAND_INS) * len(label)


def test_numbers_are_those_of_the_score(model):
    (score,) = model.score_batch(["abcabc"])
    said = explain(of("abcabc"), model)
    assert (said.score, said.logit, said.band) == (score.probability, score.logit, score.band)
    assert (said.p_value, said.family, said.model) == (score.p_value, score.family, score.model)
    assert said.thresholds == model.thresholds


def test_spans_end_where_the_side_changes_or_is_weak():
    found = spans("abcdefg", (4.0, 3.0, -2.0, -2.0, 0.5, 2.0, 9.0))
    assert [(span.text, span.contribution) for span in found] == [("g", 9.0), ("ab", 7.0)]
    assert spans("ab", (0.0, 0.0)) == () and spans("", ()) == ()
    assert len(spans("x-x-x-x-x", (1.0, -1.0) * 4 + (1.0,))) == SPANS


def test_what_is_not_judged_is_said_so():
    said = explain(Unscored("single_label"), Lengths())
    assert (said.unscored, said.action, said.reason, said.score) == (
        "single_label",
        "allow",
        "unscored",
        None,
    )
    text = "\n".join(lines(said))
    assert "nothing of it: single label" in text and "unscored" in text


def test_the_packaged_model_on_a_generated_and_on_a_common_name():
    model = Model()
    for label, sign in (("xqzjvkwpfhgtrbnm", 1), ("weather", -1)):
        said = explain(of(label), model)
        assert said.logit is not None and said.logit * sign > 0
        assert len(said.contributions) == len(label)
        assert said.spans and all(label[s.begin :].startswith(s.text) for s in said.spans)


def test_text_has_a_bar_a_character(model):
    text = lines(explain(of("aabx"), model))
    bars = [line for line in text if line.startswith("  ")]
    assert [line.split()[0] for line in bars] == list("aabx")
    assert bars[0].endswith("█" * LONGEST) and not bars[3].endswith("█")
    assert (
        "family     alpha, by the label and the suffix org; the label alone says the same" in text
    )


def test_an_unknown_family_is_called_so_and_a_benign_name_has_none(model):
    assert any(
        line.startswith("family     unknown, by") for line in lines(explain(of("cccc"), model))
    )
    assert "family     -" in lines(explain(of("xxxx"), model))


def test_what_the_suffix_did_to_the_family_is_said(tmp_path):
    under = {"alpha": {"": -1.0, "org": -9.0}}
    folder = write(tmp_path / "model", voting(), family_classes=CLASSES, family_suffixes=under)
    said = explain(of("aabxaabb"), Model(folder))
    assert (said.family, said.family_alone, said.suffix) == ("beta", "alpha", "org")
    assert "family     beta, by the label and the suffix org; by the label alone alpha" in lines(
        said
    )


def test_against_malice_is_drawn_otherwise():
    class Vowels(Lengths):
        def score_batch(self, labels) -> list[Score]:
            return [score_of(-float(label.count("e"))) for label in labels]

    text = lines(explain(of("ex"), Vowels()))
    assert any("░" * LONGEST in line for line in text) and not any("█" in line for line in text)


@pytest.mark.parametrize(
    "name",
    [
        "\\000\\027.example.org.", "a" * 63 + ".org.", "_x.org.", "xn--bcher-kva.org.",
        "0" * 63 + ".org.", "a..org.", ".", "a_-b.org.",
    ],
)  # fmt: skip
def test_names_of_any_kind_print_and_encode(name):
    said = explain(LABELS.find(name), Lengths())
    assert all(line.isprintable() for line in lines(said))
    assert msgspec.json.decode(msgspec.json.encode(said))["model"] == Lengths.model
    assert said.thresholds == LIMITS
