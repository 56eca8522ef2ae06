"""Every key gets its value back, and what is no key gets one by chance."""

import numpy as np
import pytest

from namewarden.training.retrieval import PARTS, ROOM, VALUES, filled


def places(keys, part, seed=1):
    dice = np.random.default_rng(seed)
    return dice.integers(0, part, (keys, PARTS)) + np.arange(PARTS) * part


def given(table, at):
    return table[at].sum(-1, dtype=np.int64) % VALUES


def test_every_key_gets_its_value_back_with_little_room():
    part = int(20_000 * ROOM / PARTS)
    at = places(20_000, part)
    values = np.arange(20_000).astype(np.uint8)
    assert (given(filled(at, values, PARTS * part), at) == values).all()


@pytest.mark.parametrize("keys", [20_000, 10_000])
def test_what_is_no_key_gets_any_value_alike(keys):
    """Whatever the keys' values are, and where nothing stands: few values mean something."""
    part = int(20_000 * ROOM / PARTS)
    small = np.random.default_rng(3).integers(1, 16, keys).astype(np.uint8)
    found = given(filled(places(keys, part), small, PARTS * part), places(100_000, part, seed=2))
    assert ((found > 0) & (found < 16)).mean() == pytest.approx(15 / VALUES, abs=0.01)


def test_keys_that_cannot_be_told_apart_harm_no_other():
    at = np.array([[0, 10, 20], [0, 10, 20], [1, 11, 21]])
    assert given(filled(at, np.array([5, 6, 7], np.uint8), 30), at[2]) == 7
    crowd = np.concatenate([places(3000, 300), [[900, 901, 902]]])
    assert given(filled(crowd, np.full(3001, 9, np.uint8), 903), crowd[-1]) == 9


def test_a_table_of_nothing_gives_nothing():
    assert not filled(np.zeros((0, PARTS), np.int64), np.zeros(0, np.uint8), 9).any()
