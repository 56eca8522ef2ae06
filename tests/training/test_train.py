"""Training end to end on ten names: learns them by heart, exports what it learned, goes on after a kill."""

import json

import numpy as np
import pytest

from tests.detector import conformance
from tests.training.small import GIBBERISH, WORDS, corpus

keras = pytest.importorskip("keras", reason="needs the extra `train`")

from namewarden.detector.model import Model  # noqa: E402
from namewarden.training import export, train  # noqa: E402
from namewarden.training.data import divide  # noqa: E402
from namewarden.training.recipes import generic  # noqa: E402

pytestmark = pytest.mark.timeout(300)  # compiling takes long where others compile too

# Short labels only: one width, so one compilation.
OPTIONS = train.Options(epochs=60, batch=16, made_up=0, every=30, rate=0.01)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    out = tmp_path_factory.mktemp("trained")
    train.train(corpus(), out, OPTIONS)
    return out


def test_ten_names_are_learned_by_heart(trained):
    model = export.load_weights(trained / "weights.npz")
    said = train.logits(model, WORDS + GIBBERISH)
    assert said[:5].max() < -1 and said[5:].min() > 1


def test_a_finished_run_is_not_run_again(trained):
    before = (trained / "weights.npz").read_bytes()
    train.train(corpus(), trained, OPTIONS)
    assert (trained / "weights.npz").read_bytes() == before


def test_one_seed_one_model_also_over_a_kill(trained, tmp_path):
    class Killed(Exception):
        pass

    def killing(step: int) -> None:
        if step == 45:
            raise Killed

    with pytest.raises(Killed):
        train.train(corpus(), tmp_path, OPTIONS, killing)
    train.train(corpus(), tmp_path, OPTIONS)
    once = np.load(trained / "state.npz")
    twice = np.load(tmp_path / "state.npz")
    assert all(np.array_equal(once[name], twice[name]) for name in once.files)


def test_the_exported_model_conforms_and_says_the_same(trained, tmp_path):
    network = export.load_weights(trained / "weights.npz")
    made = export.export(network, corpus(), tmp_path / "model")
    conformance.check(made)
    wanted = train.logits(network, WORDS + GIBBERISH)
    assert np.abs(made.raw(WORDS + GIBBERISH) - wanted).max() < 1e-4
    manifest = json.loads((tmp_path / "model" / "manifest.json").read_text())
    assert manifest["families"] == ["made_of_rare_letters"]
    assert Model(tmp_path / "model").model == manifest["digest"][:12]
    card = (tmp_path / "model" / "card.md").read_text()
    assert "made_of_rare_letters" in card and manifest["digest"][:12] in card


def test_every_name_is_in_one_batch_an_epoch():
    options = train.Options(batch=4, made_up=60)
    examples = train.learn_from(corpus(), options)
    for epoch in range(3):
        taken = np.concatenate(list(train.batches(examples, options, epoch)))
        assert len(set(taken.tolist())) == len(taken) >= len(examples.bad) - 3 * len(train.BUCKETS)


def test_made_up_names_leave_out_held_names():
    made_up = set(generic.names(40, OPTIONS.seed, []))
    held = sorted(made_up)[:10]
    corpus_with = divide({label: {"crux", "tranco"} for label in held}, {"qxzkvj": "some_family"})
    examples = train.learn_from(corpus_with, train.Options(made_up=40))
    assert examples.bad.sum() == len(made_up) - len(held) + sum(
        map(len, corpus_with.known["train"].values())
    )
