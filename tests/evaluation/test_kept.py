"""What lies in OUT is shown with the model it belongs to."""

import msgspec

from namewarden.evaluation import figures, kept, seed_task
from namewarden.evaluation.intervals import share_of
from namewarden.evaluation.left_out import Fold
from tests.evaluation.figure import measured, named

FOLD = Fold(0, 5, {})


def folder(out):
    """Figures of three recipes, folds, the seed's task, and what is none of these."""
    found = measured()
    figures.write(out / "recipe-y.json", named(found, "recipe-y", recipe="y"))
    figures.write(out / "recipe-own.json", named(found, "recipe-own", recipe="own"))
    registry = named(found, kept.REGISTRY, recipe="own", learned_from="registry")
    figures.write(out / f"{kept.REGISTRY}.json", kept.beside(registry, out))
    kept.folds_file(out, "own").write_bytes(msgspec.json.encode([FOLD]))
    half = share_of(1, 2)
    one = seed_task.Result(seed_task.SEED, seed_task.IN_ORDER, half, half, half, half)
    kept.seed_file(out).write_bytes(msgspec.json.encode([one]))
    return found


def test_the_packaged_model_gets_all(tmp_path):
    found = kept.beside(named(folder(tmp_path), "packaged"), tmp_path)
    assert found.left_out == [FOLD] and len(found.seed_task) == 1
    assert found.held and found.beside and len(found.beside.models) == 4
    assert found.registry and not any(mark.reached is None for mark in found.registry)
    assert not any("every baseline" in mark.what for mark in found.registry)


def test_folds_on_other_terms_serve_where_there_are_none_on_its_own(tmp_path):
    found = named(folder(tmp_path), "packaged")
    other = msgspec.structs.replace(FOLD, title="recipe own, few")
    kept.folds_file(tmp_path, "own-9x1").write_bytes(msgspec.json.encode([other]))
    assert kept.beside(found, tmp_path).left_out == [FOLD]
    kept.folds_file(tmp_path, "own").unlink()
    assert kept.beside(found, tmp_path).left_out == [other]


def test_another_model_gets_the_others_beside_it_and_keeps_its_own(tmp_path):
    found = msgspec.structs.replace(folder(tmp_path), left_out=[FOLD, FOLD])
    found = kept.beside(named(found, "recipe-y", recipe="y"), tmp_path)
    assert found.left_out == [FOLD, FOLD] and found.seed_task == [] and found.held is None
    assert found.registry == [] and found.beside and len(found.beside.models) == 3


def test_nothing_is_beside_it_where_nothing_lies(tmp_path):
    found = kept.beside(named(measured(), "packaged"), tmp_path)
    assert found.beside is None and found.held is None and found.registry == []
