"""An overlay is read as it was written; what is broken, cut or somebody else's is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namewarden.policy import overlay
from namewarden.policy.errors import ListError
from namewarden.policy.overlay import Overlay
from namewarden.policy.spec import RuleSpec
from tests.policy.made import SECRET

RULES = (
    RuleSpec("decision", "a.example.", "deny", reason="zu laut für uns"),
    RuleSpec("r1", r"^ads\d+\.", "allow", "pattern", ("kids",), 1e9),
)


def test_what_was_written_is_read(tmp_path):
    base = overlay.write(tmp_path, Overlay(1, RULES), SECRET)
    overlay.write(tmp_path, Overlay(2, RULES[:1], RULES[1:], 1, base), SECRET)
    overlay.put_in_force(tmp_path, 2)
    assert overlay.read(tmp_path / "overlay", SECRET) == Overlay(2, RULES[:1], RULES[1:], 1, base)
    overlay.put_in_force(tmp_path, 1)
    assert overlay.read(tmp_path / "overlay", SECRET, base) == Overlay(1, RULES)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "overlay", "overlay-1.rules", "overlay-2.rules"
    ]  # fmt: skip


@given(
    damage=st.one_of(
        st.tuples(st.just("cut"), st.integers(0, 180)),
        st.tuples(st.just("turn"), st.integers(0, 180)),
        st.tuples(st.just("add"), st.integers(0, 255)),
    )
)
def test_a_broken_one_is_refused(tmp_path_factory, damage):
    folder = tmp_path_factory.mktemp("overlay")
    overlay.write(folder, Overlay(1, RULES), SECRET)
    path = overlay.path_of(folder, 1)
    data = bytearray(path.read_bytes())
    how, place = damage
    place %= len(data)
    if how == "cut":
        del data[place:]
    elif how == "turn":
        if 12 <= place < 16:  # not used
            return
        data[place] ^= 0xFF
    else:
        data.append(damage[1])
    path.write_bytes(data)
    with pytest.raises(ListError, match="no overlay"):
        overlay.read(path, SECRET)


def test_another_installations_or_another_base_is_refused(tmp_path):
    overlay.write(tmp_path, Overlay(1, RULES), SECRET)
    path = overlay.path_of(tmp_path, 1)
    with pytest.raises(ListError, match="another installation"):
        overlay.read(path, bytes(32))
    with pytest.raises(ListError, match="digest is wrong"):
        overlay.read(path, SECRET, b"x" * 16)
    with pytest.raises(ListError, match="No such file"):
        overlay.read(tmp_path / "gone", SECRET)
