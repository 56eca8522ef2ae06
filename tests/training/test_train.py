"""Training end to end on ten names: learns them by heart, exports what it learned, goes on after a kill."""

import json

import msgspec
import numpy as np
import pytest

from namewarden.detector.encoding import encode
from tests.detector import conformance
from tests.training.small import GIBBERISH, WORDS, corpus

keras = pytest.importorskip("keras", reason="needs the extra `train`")
jax = pytest.importorskip("jax", reason="needs the extra `train`")

from namewarden.detector.model import Model  # noqa: E402
from namewarden.training import export, generators, train  # noqa: E402
from namewarden.training.data import divide  # noqa: E402
from namewarden.training.kept import load  # noqa: E402
from namewarden.training.recipe import FitOptions  # noqa: E402
from namewarden.training.recipes import own  # noqa: E402
from namewarden.training.recipes.char_cnn import RECIPE  # noqa: E402
from namewarden.training.suffixes import family_suffixes  # noqa: E402
from tests.training import two_heads  # noqa: E402

pytestmark = pytest.mark.timeout(300)  # compiling takes long where others compile too

# Short labels only: one width, so one compilation.
OPTIONS = FitOptions(epochs=60, batch=16, made_up=0, every=30, rate=0.01)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    out = tmp_path_factory.mktemp("trained")
    train.train(corpus(), RECIPE, out, OPTIONS)
    return out


def test_ten_names_are_learned_by_heart(trained):
    model = train.load_weights(RECIPE, trained / "weights.npz", 2)
    said = train.judge(RECIPE, model)(WORDS + GIBBERISH)
    assert said[:5].max() < -1 and said[5:].min() > 1


def test_a_second_head_learns_the_families(tmp_path):
    two = {"a": GIBBERISH[:3], "b": ["0123456789", "9876543210", "1029384756"]}
    names = msgspec.structs.replace(corpus(), choose={}, known={"train": two})
    options = FitOptions(epochs=150, batch=16, made_up=0, every=150, rate=0.01)
    weights = train.train(names, two_heads.RECIPE, tmp_path, options)
    model = train.load_weights(two_heads.RECIPE, weights, 3)
    said, families = model.predict_on_batch(encode(["xqzkvjwqpz", "9876543210", "weather"], 16))
    assert (said[:, 0] > 0).tolist() == [True, True, False]
    assert train.classes(names) == ("unknown", "a", "b")
    assert families[:2].argmax(axis=1).tolist() == [1, 2]


def test_a_finished_run_is_not_run_again(trained):
    before = (trained / "weights.npz").read_bytes()
    steps: list[int] = []
    train.train(corpus(), RECIPE, trained, OPTIONS, steps.append)
    assert (trained / "weights.npz").read_bytes() == before and steps == []


def test_one_seed_one_model_also_over_a_kill(trained, tmp_path):
    class Killed(Exception):
        pass

    def killing(step: int) -> None:
        if step == 45:
            raise Killed

    with pytest.raises(Killed):
        train.train(corpus(), RECIPE, tmp_path, OPTIONS, killing)
    assert not (tmp_path / "weights.npz").exists()
    train.train(corpus(), RECIPE, tmp_path, OPTIONS)
    once = np.load(trained / "state.npz")
    twice = np.load(tmp_path / "state.npz")
    assert all(np.array_equal(once[name], twice[name]) for name in once.files)


def test_the_exported_model_conforms_and_says_the_same(tmp_path):
    options = msgspec.structs.replace(own.RECIPE.options, epochs=60, batch=16, made_up=0, every=60)
    weights = train.train(corpus(), own.RECIPE, tmp_path / "trained", options)
    network = train.load_weights(own.RECIPE, weights, 2)
    counted = msgspec.structs.replace(corpus(), suffixes={"made_of_rare_letters": {"com": 5}})
    made = export.export(own.RECIPE, network, counted, tmp_path / "model")
    conformance.check(made)
    assert made.manifest.family_suffixes == family_suffixes(counted) != {}
    wanted = train.judge(own.RECIPE, network)(WORDS + GIBBERISH)
    assert np.abs(made.raw(WORDS + GIBBERISH) - wanted).max() < 1e-3
    assert wanted[:5].max() < wanted[5:].min()
    manifest = json.loads((tmp_path / "model" / "manifest.json").read_text())
    assert manifest["families"] == ["made_of_rare_letters"]
    assert Model(tmp_path / "model").model == manifest["digest"][:12]
    card = (tmp_path / "model" / "card.md").read_text()
    assert "made_of_rare_letters" in card and manifest["digest"][:12] in card


def test_every_name_is_in_one_batch_an_epoch():
    options = FitOptions(batch=4, made_up=60)
    examples = train.learn_from(corpus(), options)
    for epoch in range(3):
        taken = np.concatenate(list(train.batches(examples, RECIPE, options, epoch)))
        assert len(set(taken.tolist())) == len(taken) >= len(examples.bad) - 3 * len(RECIPE.buckets)


def test_no_more_examples_than_asked_and_all_kinds_of_them():
    examples = train.learn_from(corpus(), FitOptions(made_up=60, examples=30))
    assert len(set(examples.labels)) == len(examples.labels) == len(examples.family) == 30
    assert 0 < examples.bad.sum() < 30


def test_the_last_weights_are_kept(tmp_path):
    options = FitOptions(epochs=2, batch=16, made_up=0, every=1)
    weights = load(train.train(corpus(), RECIPE, tmp_path, options))
    last = load(tmp_path / "state.npz")
    for array in weights.values():
        assert any(np.array_equal(array, at_the_end) for at_the_end in last.values())


def test_a_recipe_to_compare_with_is_not_packaged():
    with pytest.raises(SystemExit, match="own is the one that is packaged"):
        export.to_onnx(RECIPE, None)


def test_few_names_are_repeated_and_one_generator_is_one_class():
    few = {"vawtrak_v1": GIBBERISH, "vawtrak_v2": ["kqzvxjwqzk"], "banjori": ["wqxjzkvqzx"] * 30}
    names = msgspec.structs.replace(corpus(), known={"train": few})
    examples = train.learn_from(names, FitOptions(made_up=0, least=30))
    assert train.classes(names) == ("unknown", "banjori", "vawtrak")
    assert [(examples.family == at).sum() for at in (1, 2)] == [30, 5 * 6 + 30]


def test_families_weigh_the_same_and_made_up_names_as_asked():
    names = corpus()
    names.known["train"]["few"] = ["abcabc", "bcabca"]
    names.known["train"]["one"] = ["xyzxyz"]
    options = FitOptions(made_up=3, even=2.0, made_up_weight=0.25)
    examples = train.learn_from(names, options)
    weight = dict(zip(examples.labels, examples.weight.tolist(), strict=True))
    assert weight["weather"] == 1  # benign
    assert weight["xqzkvjwqpz"] == pytest.approx(8 / 3 / 5)
    assert weight["abcabc"] == pytest.approx(8 / 3 / 2)
    assert weight["xyzxyz"] == 2  # the most that is asked for
    assert (examples.weight[examples.family == train.UNKNOWN] == 0.25).all()
    assert (train.learn_from(names, FitOptions(made_up=3)).weight == 1).all()


def test_a_name_with_a_hyphen_put_in_weighs_as_much_as_a_malware_s_own():
    names = msgspec.structs.replace(corpus(), known={"train": {"long": ["qxzkvjwqpz" * 3]}})
    examples = train.learn_from(names, FitOptions(made_up=3, made_up_weight=0.25, hyphened=1))
    made = {at: weight for at, weight in zip(examples.labels, examples.weight, strict=True)}
    assert sorted(weight for weight in made.values() if weight < 1) == [0.25] * 3
    assert [weight for label, weight in made.items() if "-" in label] == [1]


def test_made_up_names_weigh_as_much_where_all_families_are_made_up():
    for families in ({"letters": GIBBERISH}, {}):
        names = msgspec.structs.replace(corpus(), known={"train": families, "calibration": {}})
        examples = train.learn_from(names, FitOptions(made_up=3, even=2.0, made_up_weight=0.25))
        assert (examples.weight == 1).all()


def test_a_folder_of_other_names_or_options_is_refused(trained):
    with pytest.raises(SystemExit, match="other names, options or recipe"):
        train.train(corpus(), RECIPE, trained, FitOptions(epochs=61))


def test_a_missing_gpu_is_said():
    if jax.default_backend() == "gpu":
        pytest.skip("there is a GPU here")
    train.choose_device("auto")
    with pytest.raises(SystemExit, match="JAX has no GPU here"):
        train.choose_device("gpu")


def test_a_label_has_the_narrowest_row_that_holds_it():
    labels = ["", "a" * 14, "a" * 15, "a" * 63]
    assert train.widths_of(RECIPE, labels).tolist() == [16, 16, 24, 64]


def test_made_up_names_leave_out_held_names():
    made_up = set(generators.names(40, OPTIONS.seed, []))
    held = sorted(made_up)[:10]
    corpus_with = divide({label: {"crux", "tranco"} for label in held}, {"qxzkvj": "some_family"})
    examples = train.learn_from(corpus_with, FitOptions(made_up=40))
    assert examples.bad.sum() == len(made_up) - len(held) + sum(
        map(len, corpus_with.known["train"].values())
    )


def test_the_most_popular_are_taught_again_and_again():
    benign = {f"site{number}": {"crux", "tranco"} for number in range(20)}
    corpus = divide(benign, {"qxzkvj": "some_family"}, popular=["site3", "unlisted"])
    labels = train.learn_from(corpus, FitOptions(made_up=1, popular=5)).labels
    assert labels.count("site3") == 5 and "unlisted" not in labels
    assert max(labels.count(label) for label in benign if label != "site3") == 1
