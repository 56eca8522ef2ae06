from itertools import islice
from pathlib import Path

from bench import names


def test_same_seed_gives_same_names():
    assert list(islice(names.host_names(1), 50)) == list(islice(names.host_names(1), 50))
    assert list(islice(names.host_names(1), 50)) != list(islice(names.host_names(2), 50))


def test_files_do_not_overlap(tmp_path: Path):
    made = names.write(tmp_path, 2000, names.Sizes(100, 500, 300, 20))
    listed = set(made.listed.read_text().split())
    cold = [
        made.blocked_cold(n).read_text().replace(" A", "").split() for n in range(made.cold_files)
    ]
    warm = made.blocked_warm.read_text().replace(" A", "").split()
    assert len(listed) == 2000 and made.sample in listed
    assert made.cold_files == 3 and [len(part) for part in cold] == [500, 500, 500]
    asked = [*warm, *(name for part in cold for name in part)]
    assert len(set(asked)) == len(asked) and set(asked) <= listed and made.sample not in asked


def test_unlisted_names_are_not_below_listed_ones(tmp_path: Path):
    made = names.write(tmp_path, 2000, names.Sizes(100, 500, 3000, 20))
    listed = set(made.listed.read_text().split())
    for name in made.fresh.read_text().split():
        labels = name.split(".")
        assert not any(".".join(labels[i:]) in listed for i in range(len(labels)))


def test_files_that_are_there_are_kept(tmp_path: Path):
    names.write(tmp_path, 2000, names.Sizes(100, 500, 10, 20))
    before = (tmp_path / "listed.txt").stat().st_mtime_ns
    names.write(tmp_path, 2000, names.Sizes(100, 500, 10, 20))
    assert (tmp_path / "listed.txt").stat().st_mtime_ns == before
