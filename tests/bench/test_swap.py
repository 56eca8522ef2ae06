"""A list that is changed is another file with other names, put in its place whole."""

from bench.swap import ADDED, _change


def test_a_changed_list_has_the_name_that_is_asked_for(tmp_path):
    path = tmp_path / "list.txt"
    _change(path, 0)
    _change(path, 7)
    lines = path.read_text().splitlines()
    assert ADDED.format(7) in lines and ADDED.format(0) not in lines
    assert [each.name for each in tmp_path.iterdir()] == ["list.txt"]
