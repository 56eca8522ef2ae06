"""What is measured says the same as what serves."""

import numpy as np
import pytest

from namewarden.detector.model import Model, ModelError
from namewarden.evaluation.subject import of_model, of_recipe, sureness

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


SURE = np.full(3, 99.0)


def test_how_sure_it_is_of_a_family_has_no_ties():
    logits = np.array([[0.0, 50.0, 0.0], [0.0, 60.0, 0.0], [9.0, 0.0, 0.0]])
    sure = sureness(logits, logits, SURE)
    assert sure[1] > sure[0] > 0 > sure[2]
    assert sure[0] == pytest.approx(12.5)


def test_what_is_best_of_many_alike_is_less_sure_and_so_is_what_the_label_does_not_say():
    alone, alike = np.array([[0.0, 4.0, 0.0]]), np.array([[0.0, 4.0, 4.0]])
    assert sureness(alike, alike, SURE[:1]) < sureness(alone, alone, SURE[:1])
    by_suffix = np.array([[-9.0, 4.0, -9.0]])
    assert sureness(np.zeros((1, 3)), by_suffix, SURE[:1]) == pytest.approx(0, abs=1e-5)
    assert sureness(np.zeros((1, 3)), by_suffix, SURE[:1]) < sureness(alone, by_suffix, SURE[:1])
    assert sureness(np.zeros((0, 3)), np.zeros((0, 3)), SURE[:0]).shape == (0,)


def test_a_family_s_name_is_a_malicious_one():
    logits = np.tile([[0.0, 4.0, 0.0]], (3, 1))
    benign, even, malicious = sureness(logits, logits, np.array([-9.0, 0.0, 9.0]))
    assert malicious - even == pytest.approx(np.log(2), abs=1e-3)
    assert even - benign == pytest.approx(9 - np.log(2), abs=1e-3)


def test_the_family_guessed_is_the_one_that_serves(tmp_path):
    pytest.importorskip("onnx", reason="needs the extra `train`")
    from tests.detector.networks import CLASSES, voting, write

    under = {"alpha": {"": -9.0, "com": -0.1}, "beta": {"": -0.1, "com": -9.0}}
    changes = {"family_classes": CLASSES, "family_threshold": 0.6, "family_suffixes": under}
    folder = write(tmp_path / "model", voting(), **changes)
    subject = of_model(folder)
    names = ["aaaa", "bbbba", "cccc", "aab", "aabb", "aabb.com", "aabb.net"]
    assert subject.guess
    said, sure, share = subject.guess(names)
    assert said == [score.family for score in Model(folder).score_batch(names)]
    assert said == ["alpha", "beta", "", "alpha", "", "alpha", "beta"]
    assert sure[0] > sure[3] > sure[2]
    assert (share <= 0).all() and share[0] > share[2]
    assert {layer.name for layer in subject.layers} >= {"logits", "families"}


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ModelError):
        of_model(tmp_path)


def test_a_recipe_is_fitted_and_then_a_judge_like_any_other(tmp_path):
    pytest.importorskip("sklearn", reason="needs the extra `train`")
    from namewarden.training.recipe import FitOptions
    from tests.training.small import GIBBERISH, WORDS
    from tests.training.small import corpus as ten_names

    subject = of_recipe("ngram-lr", ten_names(), tmp_path, FitOptions(made_up=0))
    assert subject.judge(WORDS).max() < subject.judge(GIBBERISH).min()
    assert subject.judge([]).tolist() == []
    assert subject.name == "recipe-ngram-lr" and subject.learned == ("made_of_rare_letters",)
