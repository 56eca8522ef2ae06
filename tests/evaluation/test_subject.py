"""What is measured says the same as what serves."""

import numpy as np
import pytest

from namewarden.detector.model import Model, ModelError
from namewarden.evaluation.subject import odds, of_model, of_recipe

LABELS = ["example", "xqzkvjwqpz", "x" * 63]


def test_the_judge_is_the_model_that_serves():
    subject = of_model()
    scores = Model().score_batch(LABELS)
    assert subject.judge(LABELS).tolist() == [score.logit for score in scores]
    assert subject.p_values and subject.p_values(LABELS).tolist() == [s.p_value for s in scores]
    assert subject.judge([]).tolist() == []
    assert subject.files["model.onnx"] > 1000


def test_families_of_one_generator_share_a_name_where_the_model_says_so():
    assert of_model().called("kraken_v1") in ("kraken", "kraken_v1")


def test_how_sure_it_is_of_a_family_has_no_ties():
    logits = np.array([[0.0, 50.0, 0.0], [0.0, 60.0, 0.0], [9.0, 0.0, 0.0]])
    sure = odds(logits)
    assert sure[1] > sure[0] > 0 > sure[2]
    assert sure[0] == pytest.approx(50 - np.log(2))


def test_the_family_guessed_is_the_one_that_serves(tmp_path):
    pytest.importorskip("onnx", reason="needs the extra `train`")
    from tests.detector.networks import CLASSES, voting, write

    folder = write(tmp_path / "model", voting(), family_classes=CLASSES, family_threshold=0.6)
    subject = of_model(folder)
    labels = ["aaaa", "bbbba", "cccc", "aab", "ab"]
    assert subject.guess
    said, sure = subject.guess(labels)
    assert said == [score.family for score in Model(folder).score_batch(labels)]
    assert said == ["alpha", "beta", "", "alpha", ""] and sure[0] > sure[3] > sure[2]
    assert {layer.name for layer in subject.layers} >= {"logits", "families"}


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ModelError):
        of_model(tmp_path)


def test_a_recipe_is_fitted_and_then_a_judge_like_any_other(tmp_path):
    pytest.importorskip("sklearn", reason="needs the extra `train`")
    from namewarden.training.recipe import Options
    from tests.training.small import GIBBERISH, WORDS
    from tests.training.small import corpus as ten_names

    subject = of_recipe("ngram-lr", ten_names(), tmp_path, Options(made_up=0))
    assert subject.judge(WORDS).max() < subject.judge(GIBBERISH).min()
    assert subject.judge([]).tolist() == []
    assert subject.name == "recipe-ngram-lr" and subject.learned == ("made_of_rare_letters",)
