"""Names few enough to count by hand, and judges whose answers a test can tell beforehand."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from namewarden.training.data import (
    BENIGN,
    FEED,
    GENERATED,
    MALWARE,
    POPULAR,
    QUERIED,
    Corpus,
    Side,
)
from namewarden.training.measure import Logits

BENIGN_NAMES = [f"{a}{b}" for a in ("garden", "weather", "bakery", "museum", "harbour") for b in
                ("", "house", "world", "online", "shop", "news", "club", "market", "point", "land")]  # fmt: skip
GIBBERISH = [f"xq{a}zk{b}vjw{c}qpz" for a in "bcdfg" for b in "hjklm" for c in "npqr"]


SIDES: tuple[Side, ...] = ("train", "calibration", "test")


def lengths(labels: Sequence[str]) -> Logits:
    """The longer, the more malicious."""
    return np.array([float(len(label)) for label in labels])


def corpus() -> Corpus:
    """Two families learned from, one chosen by, one never seen; each label on a side by its place."""
    return Corpus(
        benign={
            "train": BENIGN_NAMES,
            "calibration": BENIGN_NAMES[::2],
            "test": BENIGN_NAMES[1::2],
        },
        single=["bakeries"],
        known={
            side: {"locky_v2": GIBBERISH[at::6][:12], "suppobox": GIBBERISH[at + 3 :: 6][:12]}
            for at, side in enumerate(SIDES)
        },
        choose={"gozi": GIBBERISH[:12]},
        unseen={"tinba": GIBBERISH[40:52], "few": ["zkxqvjzwqx"]},
        fed={"nivdort": ["husbandneighbor"] * 3},
        queried=["www.gardenhouse.org", "printer", "x1.d111abcdef8.cloudfront.net"],
        popular=["gardenworld", "xqzjvkwpfhgtrbnm"],
    )


def write_lists(folder: Path) -> Path:
    """The lists that `training/data.py` reads, a few lines each."""
    lists = {path: "".join(f"{name}.org\n" for name in BENIGN_NAMES) for path in BENIGN}
    lists[POPULAR] = "".join(f"{name}.org\n" for name in BENIGN_NAMES[:5])  # all learned from
    lists[QUERIED] = "".join(
        f"www.{name}.org\t19\t2026-07-07\t{name}.org\n" for name in BENIGN_NAMES
    )
    lists |= dict.fromkeys((*MALWARE, FEED), "malware.test\tsome\n")
    half = len(GIBBERISH) // 2
    lists[GENERATED] = "".join(
        f"{label}.com\t{family}\tgenerated\n"
        for family, labels in (("locky_v2", GIBBERISH[:half]), ("tinba", GIBBERISH[half:]))
        for label in labels
    )
    for path, text in lists.items():
        _write(folder / path, text)
    return folder


def _write(path: Path, text: str) -> None:
    import gzip

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
