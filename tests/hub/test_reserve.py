"""Room that is kept, and given up only on a full disk (a full one: `tests/faults/full_disk.py`)."""

from pathlib import Path

from namewarden.hub.reserve import SIZE, Reserve


def test_it_is_kept_where_there_is_room_and_not_given_up(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "reserve")
    reserve.keep()
    size = (tmp_path / "reserve").stat().st_size
    assert 0 < size <= SIZE
    reserve.give()
    reserve.keep()
    assert (tmp_path / "reserve").stat().st_size == size


def test_a_folder_that_is_gone_is_no_matter(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "gone" / "reserve")
    reserve.keep()
    reserve.give()
