"""The assembly: labels as the product scores them, each on one side, nothing of one class in the other."""

import gzip

import msgspec
import pytest

from namewarden.detector.label import Labels
from namewarden.training import data
from namewarden.training.data import (
    BENIGN,
    CHOOSE_BY,
    REPORT_ON,
    Corpus,
    assemble,
    assemble_registry,
    divide,
    side,
)


@pytest.fixture
def folder(tmp_path):
    for name in (*BENIGN, *data.MALWARE, data.GENERATED):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(gzip.compress(b"") if name.endswith(".gz") else b"")

    def put(name, *lines):
        (tmp_path / name).write_bytes(gzip.compress("\n".join(lines).encode() + b"\n"))

    tranco, crux = (name for name in BENIGN if name.split("/")[1].startswith(("tranco_1m", "crux")))
    put(tranco, "one.org", "two.co.uk", "both.org", "evil.org", "d111.netlify.app", "localhost",
        *(f"site{n}.org" for n in range(100)))  # fmt: skip
    put(crux, "www.one.org", "mine.ddns.net", *(f"www.site{n}.net" for n in range(100)))
    put(data.MALWARE[0], "evil.org\temotet", "sub.one.org\tx")
    put(data.MALWARE[2], "one.org\t-\tlegit")
    put(data.GENERATED, "qxzkj.com\tqakbot\tgenerated", "qxzkj.net\tramnit\tgenerated", "both.net\tmatsnu\tx",
        "abc.com\ttinba\tx", *(f"h{n}.yi.org\tkraken_v1\tx" for n in range(30)),
        *(f"gen{n}qx.com\tqakbot\tx" for n in range(50)), *(f"hold{n}.com\t{f}\tx" for n, f in
        enumerate(sorted(CHOOSE_BY | REPORT_ON))))  # fmt: skip
    return tmp_path


def test_labels_as_the_product_scores_them(folder):
    made = assemble(folder)
    benign = {label for labels in made.benign.values() for label in labels} | set(made.single)
    assert "one" in benign and "www" not in benign
    assert not benign & {"d111", "localhost", "evil", "both"}
    known = {label for families in made.known.values() for f in families.values() for label in f}
    assert "qxzkj" in known and not known & {"both", "abc", "yi"}


def test_a_label_is_on_one_side_only(folder):
    made = assemble(folder)
    for place, labels in made.benign.items():
        learned_too = (
            {"calibration"} if place == "train" else set()
        )  # of what one maker alone lists
        assert labels and {place} <= {side(label) for label in labels} <= {place} | learned_too
    for place, families in made.known.items():
        assert {side(label) for labels in families.values() for label in labels} <= {place}
    assert {side(label) for label in made.single} <= {"test"}


def test_suffixes_are_counted_of_names_that_are_learned_from(folder):
    made = assemble(folder)
    learned = made.known["train"]
    assert made.suffixes.keys() == learned.keys()
    assert made.suffixes["qakbot"] == {"com": len(learned["qakbot"])}


def test_every_name_of_a_family_counts_and_no_other_familys(tmp_path):
    learned = next(f"qxz{n}" for n in range(100) if side(f"qxz{n}") == "train")
    other = next(f"qxz{n}" for n in range(100) if side(f"qxz{n}") == "test")
    path = tmp_path / "list.tsv"
    path.write_text(
        "".join(
            f"{name}\t{family}\tx\n"
            for name, family in (
                (f"{learned}.com", "qakbot"),
                (f"{learned}.co.uk", "qakbot"),
                (f"www.{learned}.com", "qakbot"),
                (f"{learned}.net", "ramnit"),
                (f"{learned}.ddns.net", "qakbot"),
                (f"{other}.com", "qakbot"),
            )
        )
    )
    families, under = data._families(Labels(["ddns.net"]), path)
    assert families == {learned: "qakbot", other: "qakbot"}
    assert under == {learned: ["com", "co.uk", "com", "ddns.net"]}
    found = data._suffixes({"qakbot": [learned]}, under)
    assert found == {"qakbot": {"co.uk": 1, "com": 2, "ddns.net": 1}}


def test_a_corpus_kept_without_suffixes_is_read_and_is_the_same_corpus():
    kept = {"benign": {}, "single": [], "known": {}, "choose": {}, "unseen": {}, "queried": ["x"]}
    found = msgspec.msgpack.decode(msgspec.msgpack.encode(kept), type=Corpus)
    assert found.suffixes == {}
    assert msgspec.msgpack.encode(found) == msgspec.msgpack.encode(kept)


def test_held_families_are_nowhere_in_training(folder):
    made = assemble(folder)
    assert set(made.choose) == CHOOSE_BY and set(made.unseen) == REPORT_ON
    for families in made.known.values():
        assert not families.keys() & (CHOOSE_BY | REPORT_ON)


def test_one_maker_alone_teaches_but_sets_no_threshold():
    labels = [f"n{number}" for number in range(200)]
    made = divide({label: {"crux"} for label in labels}, {})
    assert made.benign["calibration"] == made.benign["test"] == []
    assert made.benign["train"] and made.single


def test_the_most_popular_are_all_learned_from():
    labels = {f"n{number}": {"crux", "tranco"} for number in range(100)}
    made = divide(labels, {}, popular=["n7", "n9", "unlisted"])
    others = {side(label) for label in ("n7", "n9")} - {"train"}
    assert others and {"n7", "n9"} <= set(made.benign["train"])
    assert not {"n7", "n9"} & {*made.benign["calibration"], *made.benign["test"], *made.single}
    assert made.popular == ["n7", "n9", "unlisted"] and "unlisted" not in made.benign["train"]


def test_sides_are_for_ever():
    assert [side(label) for label in ("google", "wikipedia", "example")] == [
        "calibration",
        "calibration",
        "test",
    ]
    counts = [side(f"n{number}") for number in range(10_000)]
    assert 4800 < counts.count("train") < 5200 and 2800 < counts.count("calibration") < 3200


def test_the_registry_alone_gives_both_classes_and_all_sides():
    made = assemble_registry(most=3000, each=300)
    kinds = {"letters", "skewed", "syllables", "hexadecimal", "mixed", "words"}
    for place in ("train", "calibration", "test"):
        assert made.benign[place] and made.known[place].keys() == kinds
    assert made.single and made.popular
    assert not (made.choose or made.unseen or made.fed or made.queried)
    benign = {label for labels in made.benign.values() for label in labels} | set(made.single)
    generated = {label for f in made.known.values() for labels in f.values() for label in labels}
    assert not benign & generated and len(generated) > 1700
