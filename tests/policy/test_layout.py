"""The table: every entry can be reached from its home, repeats are dropped, the end is always free."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from namewarden.policy import layout


def built(pairs):
    prints = np.array([mark for mark, _ in pairs], np.uint64)
    lows = np.array([low for _, low in pairs], np.uint64)
    return layout.place(prints, lows, np.zeros(len(pairs), np.uint16))


def reachable(table, homes, mark):
    place = (mark >> 32) * homes >> 32
    found = []
    while entry := int(table[place]):
        if entry >> layout.TAG_SHIFT == mark & layout.TAG_MASK:
            found.append(entry & ((1 << layout.TAG_SHIFT) - 1))
        place += 1
    return found


MARKS = st.one_of(
    st.integers(0, 2**64 - 1),
    st.sampled_from([0, 1, 2**64 - 1, 2**64 - 2, 2**63]),
    st.integers(2**64 - 50, 2**64 - 1),
)


@given(st.lists(st.tuples(MARKS, st.integers(1, 3).map(lambda match: match << 35)), max_size=200))
def test_every_entry_is_found(pairs):
    table, homes, entries = built(pairs)
    assert entries == len(set(pairs))
    assert table[-1] == 0
    assert all(low in reachable(table, homes, mark) for mark, low in pairs)


def test_of_repeats_the_first_line_stays():
    table, homes, entries = built([(7, 1 << 35 | 50), (7, 1 << 35 | 9), (7, 2 << 35 | 99)])
    assert entries == 2
    assert reachable(table, homes, 7) == [1 << 35 | 9, 2 << 35 | 99]


ROWS = st.tuples(
    st.sampled_from([0, 7, 2**63, 2**64 - 1]),
    st.integers(1, 3),
    st.integers(0, 2),
    st.integers(0, 9),
)


@given(st.lists(ROWS, max_size=40))
def test_of_what_a_list_repeats_the_first_stays_and_other_lists_keep_theirs(rows):
    """A row: fingerprint, match, rank of the list, offset."""
    prints = np.array([row[0] for row in rows], np.uint64)
    lows = np.array([match << 35 | offset for _, match, _, offset in rows], np.uint64)
    table, homes, entries = layout.place(
        prints, lows, np.array([row[2] for row in rows], np.uint16)
    )
    firsts = {row[:3]: row[3] for row in sorted(rows, reverse=True)}
    assert entries == len(firsts)
    for mark in {row[0] for row in rows}:
        mine = [match << 35 | at for (one, match, _), at in firsts.items() if one == mark]
        assert sorted(set(mine)) == sorted(set(reachable(table, homes, mark)) & set(mine))


def test_the_sieve_lets_every_entry_pass():
    sums = np.arange(0, 2**32, 4_294_967, dtype=np.uint32)
    sieve, mask = layout.sieve_of(sums)
    assert all(sieve[int(s & mask) >> 3] >> (int(s) & mask & 7) & 1 for s in sums)
    assert len(sieve) <= 2 * len(sums)


def test_a_secret_has_32_octets():
    with pytest.raises(ValueError, match="32"):
        layout.hasher(b"short")


def test_in_an_allow_list_everything_allows():
    assert layout.code_of("nxdomain", "allow") == layout.ALLOW
    assert layout.code_of("data", "deny") == layout.RECORD
    assert layout.code_of("allow", "deny") == layout.ALLOW
