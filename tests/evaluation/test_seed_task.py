"""The seed's task: no domain on two sides, pairs that length cannot tell apart, intervals by the book."""

import msgspec
import numpy as np
import pytest
from publicsuffixlist import PublicSuffixList

from namewarden.evaluation import seed_task
from namewarden.evaluation.intervals import share_of
from namewarden.evaluation.seed_task import HostNames, bared, in_order, measure, paired, right
from tests.shared_data import shared

SUFFIXES = PublicSuffixList(only_icann=True)


def some(count=600):
    return HostNames(
        [f"site{n}.example.org" if n % 3 else f"www{n}.co.uk" for n in range(count)],
        [f"login-{n}.bad{n % 40}.com" for n in range(count)],
    )


def domain(name):
    return SUFFIXES.privatesuffix(name) or name


def test_the_seed_takes_the_first_names_as_they_come():
    split = in_order(some())
    assert split.learn.benign == some().benign[:400] and split.test.bad == some().bad[450:500]
    assert len(split.aside.benign) == len(split.test.benign) == 50


def test_a_name_is_on_one_side_and_so_is_its_domain():
    for split in seed_task.splits(some(), domain):
        sides = (split.learn, split.aside, split.test)
        assert sum(len(side.benign) + len(side.bad) for side in sides) == 1200
        if split.name == "by domain":
            groups = [{domain(name) for name in (*side.benign, *side.bad)} for side in sides]
            assert not groups[0] & groups[1] and not (groups[0] | groups[1]) & groups[2]


def test_without_its_suffix_a_name_is_there_once_and_on_one_side():
    names = HostNames(["a.com", "a.org", "co.uk", "b.com"], ["b.co.uk", "x.c.net"])
    assert bared(names, SUFFIXES) == HostNames(["a"], ["x.c"])


def test_pairs_have_the_same_length_and_dots():
    made = paired(HostNames(["aa.b", "aab.", "ccc", "dddd"], ["ee.f", "ggg", "hhh", "i"]))
    assert sorted(map(len, made.benign)) == sorted(map(len, made.bad)) == [3, 4]
    assert made.benign[0].count(".") + made.benign[1].count(".") == 1


def test_the_interval_is_the_exact_one():
    logits_of = lambda names: np.full(len(names), 1.0)  # noqa: E731
    share = right(logits_of, HostNames(["a"] * 2, ["b"] * 98))
    assert (share.hits, share.names) == (98, 100)
    assert (share.low, share.high) == pytest.approx((0.92962, 0.99757), abs=1e-5)


def test_everything_is_measured_and_said():
    asked = []

    def teach(who, split):
        asked.append((who, split.name))
        bad = set(split.learn.bad) | set(split.test.bad)
        return lambda names: np.array([1.0 if name in bad else -1.0 for name in names])

    said = []
    results = measure(some(), teach, said.append)
    assert len(asked) == len(set(asked)) == len(results) == len(said) == 13
    assert all(one.test.hits == one.test.names for one in results)
    assert seed_task.margins(results) == dict.fromkeys(
        ("random", "by domain", "random, no suffix", "by domain, no suffix"), 0.0
    )
    text = seed_task.show(results)
    assert "| random | seed network | 100.0 %" in text
    assert "| by domain, no suffix | length, dots, digits alone |" in text
    assert "random: +0.0;" in text and "not measured" in seed_task.show([])


def test_what_was_found_is_kept_and_not_measured_again(tmp_path):
    half = share_of(1, 2)
    done = [seed_task.Result(seed_task.SEED, seed_task.IN_ORDER, half, half, half, half)]
    (tmp_path / "kept.json").write_bytes(msgspec.json.encode(done))
    assert seed_task.run(tmp_path, tmp_path / "x", tmp_path / "kept.json", print) == done
    assert seed_task.load(tmp_path / "nothing.json") == []


def test_the_networks_are_taught_in_a_folder_of_their_split(tmp_path):
    pytest.importorskip("sklearn", reason="needs the extra `train`")
    names = some(40)
    split = seed_task.Split("random, no suffix", names, names, names)
    judge = seed_task.teacher(tmp_path)(seed_task.SHORTCUTS, split)
    assert right(judge, names).rate == 1.0


def test_the_lists_are_what_the_seed_had():
    names = seed_task.read(shared("benign/mlbridge_benign_2020.txt.gz").parent.parent)
    assert (len(names.benign), len(names.bad)) == (14_995, 15_088)
    split = in_order(names)
    assert "facebook.com" in split.learn.benign and split.learn.bad[0].startswith("0001")
