"""What other runs left in OUT, put beside what was measured now: one report, one file of figures hold all."""

from pathlib import Path

import msgspec

from namewarden.evaluation import compare, figures, held_out, left_out, marks, seed_task
from namewarden.evaluation.compare import OWN
from namewarden.evaluation.figures import Figures, ModelMark
from namewarden.evaluation.left_out import Fold

PACKAGED = "packaged"
REGISTRY = f"recipe-{OWN}-from-registry"


def beside(found: Figures, out: Path) -> Figures:
    """With the figures of all other models there; the packaged model also with what only its recipe can tell."""
    others = _others(out, found.about.subject)
    packaged = found.about.subject == PACKAGED
    return msgspec.structs.replace(
        found,
        left_out=_any_folds(out) if packaged else found.left_out,
        seed_task=seed_task.load(seed_file(out)) if packaged else found.seed_task,
        held=held_out.pick(others) if packaged else None,
        registry=_registry(others) if packaged else [],
        beside=compare.measure(found, others) if others else None,
    )


def folds_file(out: Path, name: str) -> Path:
    return out / f"left-out-{name}.json"


def folds(out: Path, name: str) -> list[Fold]:
    return left_out.load(folds_file(out, name))


def _any_folds(out: Path) -> list[Fold]:
    """Of the packaged model's recipe on its own terms, else on others; they say on which."""
    files = sorted(out.glob(f"left-out-{OWN}*.json"), key=lambda path: len(path.name))
    return left_out.load(files[0]) if files else []


def seed_file(out: Path) -> Path:
    return out / "seed-task.json"


def _others(out: Path, subject: str) -> list[Figures]:
    every = [it for path in sorted(out.glob("*.json")) if (it := _figures(path))]
    return [it for it in every if it.about.subject != subject]


def _figures(path: Path) -> Figures | None:
    """None for another file, or figures of another version."""
    try:
        return figures.read(path)
    except msgspec.DecodeError:
        return None


def _registry(others: list[Figures]) -> list[ModelMark]:
    """What the registry's names alone reach; marks that are of other runs are left out."""
    found = next((it for it in others if it.about.subject == REGISTRY), None)
    if found is None:
        return []
    alone = msgspec.structs.replace(found, beside=None)
    return [mark for mark in marks.judge(alone) if mark.reached is not None]
