"""On which terms a recipe was fitted is in its name and its folder; what can be exported is measured as exported."""

from pathlib import Path

import msgspec
import pytest

from namewarden.evaluation import fitted
from namewarden.evaluation.fitted import Terms
from namewarden.training.kept import REGISTRY, claim

OUT, DATA = Path("out"), Path("data")


@pytest.mark.parametrize(
    ("terms", "name", "title", "folder"),
    [
        (Terms("ngram-lr", OUT, DATA), "ngram-lr", "recipe ngram-lr", "fitted"),
        (
            Terms("ngram-lr", OUT, DATA, examples=600_000, epochs=1),
            "ngram-lr-600000x1",
            "recipe ngram-lr, 600,000 names, seen 1×",
            "fitted-600000x1",
        ),
        (
            Terms("own", OUT, DATA, learn=REGISTRY),
            "own-from-registry",
            "recipe own, learned from the registry's names alone",
            "fitted-registry",
        ),
        (
            Terms("own", OUT, REGISTRY),
            "own-on-registry",
            "recipe own, on the registry's names alone",
            "fitted-registry",
        ),
        (
            Terms("own", OUT, DATA, learn=Path("few.msgpack")),
            "own-from-few",
            "recipe own, learned from few.msgpack",
            "fitted-few",
        ),
    ],
    ids=lambda it: it if isinstance(it, str) else "",
)
def test_the_terms_are_told(terms, name, title, folder):
    assert (terms.name, terms.title, terms.folder) == (name, title, OUT / folder)


def test_what_was_fitted_elsewhere_is_named_as_it_was_fitted(tmp_path):
    pytest.importorskip("sklearn", reason="needs the extra `train`")
    from namewarden.training.fit import fit
    from namewarden.training.recipe import FitOptions
    from tests.training.small import corpus

    fit("ngram-lr", corpus(), tmp_path, FitOptions(made_up=0, examples=9, epochs=3))
    terms = Terms("ngram-lr", OUT, DATA, fitted=tmp_path)
    assert terms.name == "ngram-lr-9x3" and terms.options.made_up == 0
    found = fitted.measured(terms, corpus(), lambda what: None)
    assert found.name == "recipe-ngram-lr-9x3" and found.model is None


@pytest.mark.timeout(300)  # compiling takes long where others compile too
def test_what_can_be_exported_is_measured_as_the_resolver_loads_it(tmp_path):
    pytest.importorskip("keras", reason="needs the extra `train`")
    from namewarden.training.recipes import find
    from tests.evaluation.small import corpus

    terms = Terms("own", tmp_path, DATA, examples=200, epochs=1, learn=REGISTRY)
    few = msgspec.structs.replace(terms.options, made_up=1000)
    claim(terms.folder / "own", find("own"), few, corpus())  # begun with fewer made-up names
    found = fitted.measured(terms, corpus(), lambda what: None)
    assert found.model and found.guess is None and found.files["model.onnx"]
    assert found.folder == tmp_path / "recipe-own-200x1-from-registry"
    again = msgspec.structs.replace(terms, learn=None, fitted=terms.folder)
    assert fitted.measured(again, corpus(), lambda what: None).guess is not None
