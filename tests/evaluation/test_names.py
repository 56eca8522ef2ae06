"""What is gathered from lists: never learned from, benign as far as is known, each in its sort."""

from namewarden.evaluation.answers import SIZES
from namewarden.evaluation.names import (
    CRUX,
    FITS,
    HASH,
    NEWER,
    OLDER,
    PINYIN,
    gather,
    without_lists,
)
from namewarden.training.data import GENERATED, QUERIED, Corpus, side
from namewarden.training.measure import sample
from tests.evaluation.small import SIDES, _write


def labels_of(wanted, count):
    """Labels that the hash puts on a side."""
    found = (f"label{number}" for number in range(10_000))
    return [label for label in found if side(label) == wanted][:count]


def empty(**kept):
    return Corpus({it: [] for it in SIDES}, [], {it: {} for it in SIDES}, {}, {}, **kept)


def test_new_is_what_no_older_list_holds_and_nothing_was_learned_from(tmp_path):
    old, new, *_ = labels_of("test", 2)
    (learned,) = labels_of("train", 1)
    _write(tmp_path / OLDER[0], f"{old}.org\n")
    _write(tmp_path / CRUX, f"{old}.com\n{new}.com\n{learned}.com\n")
    corpus = empty()
    corpus.benign["test"].extend([old, new])
    found = gather(tmp_path, corpus)
    assert found.newer == {NEWER[CRUX]: [new], "the lists of two makers": [new]}


def test_customers_are_a_sort_of_their_own(tmp_path):
    customers = [f"{label}.github.io" for label in "abcdefghijklmnopqrst"]
    _write(tmp_path / QUERIED, "".join(f"{name}\t1\n" for name in customers))
    found = gather(tmp_path, empty())
    assert found.sorts["cloud and CDN customers"] == [n for n in customers if side(n) == "test"]


def test_generated_names_are_kept_whole_where_families_are_asked_about(tmp_path):
    rows = ("abcdq.com", "abcdq.net", "www.efghq.co.uk", "efghq.com", "never.com", "new.ddns.net")
    _write(tmp_path / GENERATED, "".join(f"{name}\tsome\tx\n" for name in rows))
    corpus = empty()
    corpus.known["test"]["some"] = ["abcdq", "efghq", "missing"]
    corpus.unseen["other"] = ["new"]
    found = gather(tmp_path, corpus)
    assert found.generated == {"some": ["abcdq.com", "efghq.co.uk"], "other": ["new.ddns.net"]}
    assert found.whole() == {"abcdq": "abcdq.com", "efghq": "efghq.co.uk", "new": "new.ddns.net"}


def test_no_more_names_are_kept_than_any_run_asks_about(tmp_path):
    labels = [f"q{number:05}" for number in range(5000)]
    _write(tmp_path / GENERATED, "".join(f"{label}.com\tsome\tx\n" for label in labels))
    corpus = empty()
    corpus.known["test"]["some"] = labels
    kept = set(gather(tmp_path, corpus).whole())
    assert {label for most in SIZES for label in sample(labels, most)} == kept


def test_without_lists_there_are_names_made_up_and_no_others():
    assert without_lists().tlds is None and not without_lists().newer
    assert without_lists().whole() == {}
    assert not set(without_lists().sorts) & set(FITS)


def test_what_is_pinyin_and_what_is_a_hash():
    assert PINYIN.fullmatch("zhongguorenmin") and not PINYIN.fullmatch("strength")
    assert HASH.search("d41d8cd98f00b204.example.org")
    assert not HASH.search("deadbeefdeadbeef-cafe.org")
