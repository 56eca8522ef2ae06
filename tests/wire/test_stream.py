"""Both ends of a stream with a wire between them that cuts anywhere, and a clock that is set by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namewarden.wire.errors import WireError
from namewarden.wire.stream import (
    ClientLimits,
    ClientStream,
    Framing,
    ServerLimits,
    ServerStream,
    frame,
)

CUTS = st.lists(st.integers(1, 50), min_size=1)


def cut(stream, cuts):
    """The octets in pieces of these sizes, over and over."""
    pieces, at = [], 0
    for size in cuts * (len(stream) // sum(cuts) + 1):
        pieces.append(stream[at : at + size])
        at += size
    return pieces


class Conversation:
    """A client that asks by name and a server that answers by name: the message is the id and the name."""

    def __init__(self, cuts=(65_536,), **limits):
        self.now = 100.0
        self.cuts = list(cuts)
        self.client = ClientStream(ClientLimits(), self.now)
        self.server = ServerStream(ServerLimits(**limits), self.now)
        self.in_flight = {}  # at the server: name → id

    def ask(self, *names):
        for name in names:
            ident = len(self.client.waiting)
            while ident in self.client.waiting:
                ident += 1
            self.client.ask(ident, name, ident.to_bytes(2) + name.encode(), self.now)
        for piece in cut(bytes(self.client.unsent), self.cuts):
            self.server.receive(piece, self.now)
        self.client.sent(len(self.client.unsent))

    def asked(self):
        """What the server is given to answer now."""
        names = []
        while (message := self.server.next_query()) is not None:
            names.append(message[2:].decode())
            self.in_flight[names[-1]] = message[:2]
        return names

    def answer(self, *names, size=0):
        for name in names:
            self.server.answer(self.in_flight.pop(name) + name.encode() + bytes(size), self.now)

    def heard(self, most=1 << 20):
        """What the client hears of the next `most` octets: for whom, and what was said."""
        taken = bytes(self.server.unsent[:most])
        self.server.sent(len(taken), self.now)
        pairs = []
        for piece in cut(taken, self.cuts):
            for message in self.client.receive(piece, self.now):
                waiter = self.client.waiting.pop(int.from_bytes(message[:2]))
                pairs.append((waiter, message[2:].rstrip(b"\0").decode()))
        return pairs


@given(st.lists(st.binary(max_size=300), max_size=8), CUTS)
def test_messages_survive_any_cutting(messages, cuts):
    stream = b"".join(frame(message) for message in messages)
    framing, found = Framing(), []
    for piece in cut(stream, cuts):
        found += framing.feed(piece)
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


@given(CUTS, st.permutations([f"n{n}" for n in range(12)]))
def test_every_answer_reaches_who_asked_in_any_order_and_any_pieces(cuts, order):
    talk = Conversation(cuts)
    talk.ask(*(f"n{n}" for n in range(12)))
    assert talk.asked() == [f"n{n}" for n in range(12)]
    talk.answer(*order)
    assert talk.heard() == [(name, name) for name in order]
    assert not talk.client.waiting and not talk.server.unsent


@given(st.binary(max_size=2000), CUTS)
def test_junk_is_messages_or_one_error_however_it_is_cut(junk, cuts):
    def read(pieces):
        server = ServerStream(ServerLimits(largest=300, pipelined=10_000), 0.0)
        found: list[bytes | str] = []
        for piece in pieces:
            server.receive(piece, 0.0)
        server.end()
        try:
            while (message := server.next_query()) is not None:
                found.append(message)
        except WireError as error:
            found.append(error.reason)
        return found

    assert read(cut(junk, cuts)) == read([junk])


def test_what_is_too_large_ends_the_stream_behind_the_queries_before_it():
    server = ServerStream(ServerLimits(largest=5), 0.0)
    server.receive(frame(b"query") + frame(b"larger"), 0.0)
    assert server.next_query() == b"query"
    with pytest.raises(WireError):
        server.next_query()


def test_queries_in_flight_are_bounded_and_the_rest_waits_its_turn():
    talk = Conversation(pipelined=2)
    talk.ask("a", "b", "c", "d")
    assert talk.asked() == ["a", "b"] and not talk.server.wants_data
    talk.answer("b")
    assert talk.asked() == ["c"]
    talk.answer("a", "c")
    assert talk.asked() == ["d"] and talk.server.wants_data
    assert talk.heard() == [("b", "b"), ("a", "a"), ("c", "c")]


def test_answers_that_are_not_taken_stop_the_asking():
    talk = Conversation(unsent=100)
    talk.ask("a", "b")
    assert talk.asked() == ["a", "b"]
    talk.answer("a", size=100)
    talk.ask("c")
    assert talk.asked() == [] and not talk.server.wants_data
    assert talk.heard(10) == [] and talk.asked() == ["c"]


def test_silence_is_an_answer_of_no_octets():
    talk = Conversation(pipelined=1)
    talk.ask("a", "b")
    assert talk.asked() == ["a"]
    talk.server.answer(b"", talk.now)
    assert not talk.server.unsent and talk.asked() == ["b"]


def test_a_half_closed_stream_is_done_when_its_last_answer_has_left():
    talk = Conversation(pipelined=1)
    talk.ask("a", "b")
    talk.server.end()
    for name in ("a", "b"):
        assert talk.asked() == [name] and not talk.server.wants_data
        talk.answer(name)
        assert not talk.server.is_done
        assert talk.heard() == [(name, name)]
    assert talk.server.is_done


def test_a_stream_is_idle_where_nothing_came_for_its_time():
    talk = Conversation(idle=10)
    assert talk.server.check(109.9) == "" and talk.server.wake == 110
    assert talk.server.check(110) == "idle"
    talk.now = 109
    talk.ask("a")
    assert talk.server.check(110) == "" and talk.server.wake == 119


def test_a_query_that_trickles_in_gets_no_more_time():
    server = ServerStream(ServerLimits(idle=10), 100.0)
    for n, octet in enumerate(frame(b"trickled")[:-1]):
        server.receive(bytes((octet,)), 101.0 + n)
    assert server.wake == 110 and server.check(110) == "slow"


def test_an_answer_that_trickles_out_gets_no_more_time_and_a_late_one_of_ours_does():
    talk = Conversation(idle=10)
    talk.ask("a")
    assert talk.asked() == ["a"]
    assert talk.server.check(110) == "" and talk.server.wake == 120
    talk.now = 115
    talk.answer("a", size=50)
    talk.now = 124
    assert talk.heard(20) == [] and talk.server.check(125) == "slow"
    assert talk.heard() == [("a", "a")] and talk.server.wake == 134


def test_a_client_stream_is_full_by_questions_or_octets():
    client = ClientStream(ClientLimits(waiting=2, unsent=30), 0.0)
    client.ask(1, "a", b"12", 0.0)
    assert not client.is_full
    client.ask(2, "b", b"12", 0.0)
    assert client.is_full
    client.finish(2, "b", 0.0)
    assert not client.is_full
    client.ask(3, "c", bytes(30), 0.0)
    client.finish(1, "a", 0.0)
    assert client.is_full
    client.sent(10)
    assert not client.is_full


def test_a_client_stream_is_idle_a_while_after_nobody_waits():
    client = ClientStream(ClientLimits(idle=10), 0.0)
    client.ask(1, "a", b"12", 5.0)
    assert not client.is_idle(100.0)
    client.finish(1, "another, gone long ago", 50.0)
    assert list(client.waiting) == [1]
    client.finish(1, "a", 100.0)
    assert not client.is_idle(109.0) and client.is_idle(110.0) and client.wake == 110


def test_a_client_stream_is_deaf_after_timeouts_without_an_octet():
    client = ClientStream(ClientLimits(), 0.0)
    for ident in range(6):
        client.ask(ident, "a", b"12", 50.0)
    assert [client.time_out(52.0) for _ in range(2)] == [False, False]
    assert client.receive(b"\0", 52.1) == []  # half a length is a sign of life
    assert [client.time_out(52.2) for _ in range(4)] == [False] * 4  # asked with little time left
    assert client.time_out(53.2)


def test_time_in_which_nobody_asked_says_nothing_of_the_server():
    client = ClientStream(ClientLimits(), 0.0)
    client.ask(1, "a", b"12", 100.0)
    assert [client.time_out(100.1) for _ in range(3)] == [False] * 3


def test_questions_one_after_the_other_show_a_deaf_server_too():
    client, deaf = ClientStream(ClientLimits(), 0.0), []
    for n in range(4):
        client.ask(n, "a", b"12", 100 + n * 0.4)
        deaf.append(client.time_out(100.4 + n * 0.4))
        client.finish(n, "a", 100.4 + n * 0.4)
    assert deaf == [False, False, True, True]
