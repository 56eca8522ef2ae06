"""Columns and back: nothing is lost, nothing malformed is taken."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from namewarden.events.batch import (
    Batch,
    BatchError,
    Columns,
    from_events,
    from_wire,
    to_events,
    to_wire,
)
from namewarden.query import Event
from tests.events.samples import PLAIN, blocked, event

line = st.text(st.characters(exclude_characters="\n", codec="utf-8"), max_size=20)
word = st.text("abcdefghijklmnopqrstuvwxyz0123456789.:-", min_size=1, max_size=20)


@st.composite
def events(draw: st.DrawFn) -> Event:
    return event(
        time=draw(st.floats(0, 4e9)),
        client=draw(word),
        name=draw(word),
        rule=draw(line),
        group=draw(word),
        score=draw(st.none() | st.floats(0, 1)),
        duration=draw(st.floats(0, 100)),
        cnames=tuple(draw(st.lists(word, max_size=3))),
        addresses=tuple(draw(st.lists(word, max_size=3))),
        count=draw(st.integers(1, 2**32 - 1)),
    )


@given(st.lists(events(), max_size=8))
def test_what_was_recorded_comes_back_with_ids_in_order(rows: list[Event]) -> None:
    batch = from_wire(to_wire(from_events("ab12", 1, "resolver", rows, first=40)))
    back = list(to_events(batch))
    assert [item.id for item in back] == [f"ab12-{40 + n}" for n in range(len(rows))]
    assert [msgspec.structs.replace(item, id="") for item in back] == rows


def test_slices_give_the_same_as_one_piece() -> None:
    rows = [event(name=f"n{n}.example.org.", group=f"g{n % 3}") for n in range(50)]
    columns = Columns()
    for start in range(0, 50, 7):
        columns.add(rows[start : start + 7])
    assert columns.finish() == (lambda b: (b.facts, b.numbers, b.texts))(
        from_events("a", 1, "resolver", rows)
    )


def test_a_line_break_in_a_text_stays_within_its_row() -> None:
    rows = [blocked("a.example.org."), event(rule="one\ntwo"), event(rule="lone \ud800 surrogate")]
    back = list(to_events(from_wire(to_wire(from_events("a", 1, "resolver", rows)))))
    assert [item.rule for item in back] == [
        "malware:1 ||a.example.org.^",
        "one\\010two",
        "lone ? surrogate",
    ]


GOOD = from_events("a", 1, "resolver", [PLAIN, PLAIN])


@pytest.mark.parametrize(
    "bad",
    [
        msgspec.structs.replace(GOOD, rows=3),
        msgspec.structs.replace(GOOD, rows=1),
        msgspec.structs.replace(GOOD, facts=[]),
        msgspec.structs.replace(GOOD, facts=[("resolver",)]),
        msgspec.structs.replace(GOOD, run="../x"),
        msgspec.structs.replace(GOOD, schema=2),
        msgspec.structs.replace(GOOD, first=-1),
        msgspec.structs.replace(GOOD, sequence=2**63),
        msgspec.structs.replace(GOOD, dropped_events=-1),
        msgspec.structs.replace(
            GOOD, numbers={**GOOD.numbers, "duration": b"\xff" * 8 + GOOD.numbers["duration"][8:]}
        ),
        msgspec.structs.replace(GOOD, texts={}),
        msgspec.structs.replace(
            GOOD, numbers={**GOOD.numbers, "time": b"\xff" * 8 + GOOD.numbers["time"][8:]}
        ),
    ],
)
def test_a_malformed_batch_is_an_error(bad: Batch) -> None:
    with pytest.raises(BatchError):
        from_wire(to_wire(bad))


@given(st.binary(max_size=200))
def test_junk_is_a_batch_error_and_nothing_else(data: bytes) -> None:
    with pytest.raises(BatchError):
        from_wire(data)
