"""Messages come out of a byte stream whole, however it was cut."""

from hypothesis import given
from hypothesis import strategies as st

from namewarden.net.framing import Framing, frame


@given(st.lists(st.binary(max_size=300), max_size=8), st.lists(st.integers(1, 50), min_size=1))
def test_messages_survive_any_cutting(messages, cuts):
    stream = b"".join(frame(message) for message in messages)
    framing, found, at = Framing(), [], 0
    for cut in cuts * (len(stream) // sum(cuts) + 1):
        found += framing.feed(stream[at : at + cut])
        at += cut
    assert found == messages and not framing.is_within


def test_an_unfinished_message_is_held():
    framing = Framing()
    assert framing.feed(b"\0") == [] and framing.is_within
    assert framing.feed(b"\x03ab") == []
    assert framing.feed(b"c\0\0") == [b"abc", b""]
    assert not framing.is_within


def test_the_largest_message_fits():
    message = bytes(65535)
    assert Framing().feed(frame(message)) == [message]
