"""What a server cannot is left out, what it has shown is missed when an answer lacks it."""

import time

import dns.edns
import dns.message
import dns.rcode
import pytest

from namewarden.net.abilities import ALL, NONE, OFF, Wishes, is_mixed
from namewarden.wire.errors import UpstreamError
from tests import lying_upstream as lies
from tests.lying_upstream import Liar, Shot
from tests.net.asking import TRUTH, ask, upstreams
from tests.servers import named


class Clock:
    """Real time and what a test adds to it."""

    added = 0.0

    def __call__(self):
        return time.monotonic() + self.added


def sent(liar, over_tcp=False):
    return [dns.message.from_wire(data) for data in (liar.asked_by_tcp if over_tcp else liar.asked)]


def edns_of(liar):
    return [(message.edns >= 0, bool(message.options)) for message in sent(liar)]


REFUSALS = {
    "FORMERR": lambda query: lies.failure(query, 1),
    "NOTIMP": lambda query: lies.failure(query, 4),
    "FORMERR without the question": lies.bare,
    "NOTIMP without the question": lambda query: lies.bare(query, 4),
}


@pytest.mark.parametrize("refuse", REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize("over_tcp", [False, True])
async def test_who_refuses_edns_is_asked_without_for_a_while(refuse, over_tcp):
    clock, behave = Clock(), lies.without_edns(refuse)
    async with Liar(behave, tcp=behave) as liar:
        url = liar.tcp_url if over_tcp else liar.url
        async with upstreams(url, clock=clock) as made:
            for added, questions in ((0, 2), (0, 3), (OFF + 1, 5)):
                clock.added += added
                assert (await ask(made))[1] == TRUTH
                assert len(sent(liar, over_tcp)) == questions
            assert made.wrong == 0


async def test_who_knows_edns_but_no_cookies_is_asked_without_cookies():
    def behave(query):
        message = dns.message.from_wire(query)
        if not message.options:
            return lies.honest(query)
        refusal = dns.message.make_response(message)
        refusal.set_rcode(dns.rcode.FORMERR)
        return [Shot(refusal.to_wire())]

    async with Liar(behave) as liar, upstreams(liar.url) as made:
        for _ in range(3):
            assert (await ask(made))[1] == TRUTH
        assert edns_of(liar) == [(True, True), (True, False), (True, False), (True, False)]


async def test_silence_to_edns_is_no_end_where_the_server_never_knew_it():
    async with (
        Liar(lies.without_edns(lambda _: b"")) as liar,
        upstreams(liar.url, timeout=0.7) as made,
    ):
        for _ in range(3):
            assert (await ask(made))[1] == TRUTH
        began = time.monotonic()
        assert (await ask(made))[1] == TRUTH
        assert time.monotonic() - began < 0.2


async def test_a_forged_refusal_makes_nobody_forget_what_a_server_can():
    """One header with the right id and port, and the server has shown that it knows EDNS."""
    async with Liar(with_opt) as liar, upstreams(liar.url) as made:
        await ask(made)
        liar.udp = lambda query: (
            [Shot(lies.bare(query))] if lies.has_opt(query) else with_opt(query)
        )
        assert (await ask(made))[1] == TRUTH
        liar.udp = with_opt
        assert (await ask(made))[1] == TRUTH
        assert edns_of(liar)[-1][0]


async def test_a_refusal_is_no_answer_for_the_client():
    async with Liar(lambda query: [Shot(lies.bare(query))]) as liar, upstreams(liar.url) as made:
        began = time.monotonic()
        with pytest.raises(UpstreamError):
            await ask(made)
        assert time.monotonic() - began < 0.5 and len(liar.asked) == 2


@pytest.mark.parametrize("over_tcp", [False, True])
async def test_what_cannot_be_read_fails_at_once_and_the_next_is_asked(over_tcp):
    async with Liar(lies.unreadable, tcp=lies.unreadable) as broken, Liar() as other:
        url = broken.tcp_url if over_tcp else broken.url
        async with upstreams(url, other.url) as made:
            began = time.monotonic()
            for _ in range(4):
                assert (await ask(made))[1] == TRUTH
            assert time.monotonic() - began < 0.5 and not made.servers[0].is_dead
        async with upstreams(url) as made:
            with pytest.raises(UpstreamError, match="cannot be read"):
                await ask(made)


# The case of the question.


def test_a_question_is_mixed_where_a_letter_is_small_and_one_is_not():
    assert not is_mixed(b"\x03www\0\0\1\0\1") and not is_mixed(b"\x03WWW\0\0\1\0\1")
    assert is_mixed(b"\x03wWw\0\0\1\0\1")


async def test_the_client_gets_its_own_case_back_where_a_name_is_written_out():
    def behave(query):
        name = lies.question_of(query)[:-4]
        return [Shot(lies.reply(query).replace(b"\xc0\x0c", name))]

    async with Liar(behave) as liar, upstreams(liar.url) as made:
        for name in ("WWW.Example.org", "www.example.org"):
            answer, data = await ask(made, name)
            assert data == TRUTH and answer.body.startswith(b"\3" + name[:3].encode() + b"\7")
        assert len({lies.question_of(data) for data in liar.asked}) == 2


async def test_who_keeps_no_case_is_found_out_over_tcp_and_asked_without():
    async with Liar(lies.in_small_letters, tcp=lies.in_small_letters) as liar:
        async with upstreams(liar.url) as made:
            for _ in range(3):
                assert (await ask(made, "www.eXample.org"))[1] == TRUTH
        assert len(liar.asked) == 3 and len(liar.asked_by_tcp) == 1
        assert lies.question_of(liar.asked[-1]) == b"\3www\7eXample\3org\0\0\1\0\1"


async def test_who_keeps_no_case_and_has_no_tcp_is_asked_without_in_the_end():
    async with Liar(lies.in_small_letters, answers=0) as liar, upstreams(liar.url) as made:
        for _ in range(5):
            assert (await ask(made, "wWw.example.org"))[1] == TRUTH
        assert len(liar.asked) == 3 * 2 + 2


async def test_an_answer_in_another_case_is_a_lie_once_the_server_has_shown_that_it_keeps_it():
    async with Liar() as liar, upstreams(liar.url) as made:
        for _ in range(3):
            await ask(made)
        liar.udp = lies.then_truth(forged)
        assert (await ask(made))[1] == TRUTH
        assert made.wrong == 10 and not liar.asked_by_tcp


async def test_where_only_lies_come_tcp_decides():
    async with Liar() as liar, upstreams(liar.url) as made:
        for _ in range(3):
            await ask(made)
        liar.udp = forged
        assert (await ask(made))[1] == TRUTH
        assert len(liar.asked_by_tcp) == 1
        liar.udp = lies.honest
        assert (await ask(made))[1] == TRUTH
        assert lies.question_of(liar.asked[-1]) != lies.question_of(liar.asked[0])


def forged(query):
    """A lie with the right id, and the first letter in the other case."""
    return [Shot(lies.reply(query[:13] + bytes([query[13] ^ 32]) + query[14:], lies.LIE))]


def with_opt(query):
    """The truth, with what the server's OPT says."""
    message = dns.message.from_wire(query)
    reply = dns.message.make_response(message)
    reply.answer = dns.message.from_wire(lies.reply(query)).answer
    return [Shot(reply.to_wire())]


# Cookies.


def cookie_of(query):
    found = [
        o for o in dns.message.from_wire(query).options if o.otype == dns.edns.OptionType.COOKIE
    ]
    return (found[0].client, found[0].server) if found else None


def with_cookie(server=b"serverS1", rcode=0, address=lies.TRUTH):
    """A server that gives this cookie."""

    def behave(query):
        message = dns.message.from_wire(query)
        reply = dns.message.make_response(message)
        if rcode == 0:
            reply.answer = dns.message.from_wire(lies.reply(query, address)).answer
        found = cookie_of(query)
        reply.use_edns(0, options=[dns.edns.CookieOption(found[0], server)] if found else [])
        reply.set_rcode(rcode)
        return [Shot(reply.to_wire())]

    return behave


def wanting_cookie(query):
    client, server = cookie_of(query) or (b"", b"")
    return with_cookie()(query) if server == b"serverS1" else with_cookie(rcode=23)(query)


async def test_a_server_gets_its_cookie_back():
    async with Liar(with_cookie()) as liar, upstreams(liar.url) as made:
        for _ in range(3):
            assert (await ask(made))[1] == TRUTH
        (client, nothing), *others = map(cookie_of, liar.asked)
        assert nothing == b"" and others == [(client, b"serverS1")] * 2
        liar.udp = with_cookie(b"serverS2")
        await ask(made)
        await ask(made)
        assert cookie_of(liar.asked[-1]) == (client, b"serverS2")


async def test_each_server_has_a_cookie_of_its_own():
    async with Liar(with_cookie()) as one, Liar(with_cookie()) as two:
        for liar in (one, two):
            async with upstreams(liar.url) as made:
                await ask(made)
        assert cookie_of(one.asked[0]) != cookie_of(two.asked[0])


async def test_a_bad_cookie_is_replaced_by_the_servers():
    async with Liar(wanting_cookie) as liar, upstreams(liar.url) as made:
        assert (await ask(made))[1] == TRUTH
        assert (await ask(made))[1] == TRUTH
        assert len(liar.asked) == 3 and not liar.asked_by_tcp


async def test_a_server_that_takes_no_cookie_ever_is_asked_over_tcp():
    async with Liar(with_cookie(rcode=23)) as liar, upstreams(liar.url) as made:
        assert (await ask(made))[1] == TRUTH
        assert len(liar.asked) == 2 and len(liar.asked_by_tcp) == 1


async def test_an_answer_without_the_cookie_is_a_lie_once_the_server_has_shown_one():
    async with Liar(with_cookie()) as liar, upstreams(liar.url) as made:
        await ask(made)
        lie = lies.reply
        liar.udp = lambda query: (
            [Shot(lie(query, lies.LIE))] * 5 + [Shot(with_cookie()(query)[0].data, after=0.05)]
        )
        assert (await ask(made))[1] == TRUTH
        assert made.wrong == 5 and not liar.asked_by_tcp


async def test_a_server_that_has_no_cookies_any_more_is_found_out_over_tcp():
    async with Liar(with_cookie()) as liar, upstreams(liar.url) as made:
        await ask(made)
        liar.udp = lies.honest
        for _ in range(3):
            assert (await ask(made))[1] == TRUTH
        assert len(liar.asked_by_tcp) == 1 and cookie_of(liar.asked[-1]) is None


async def test_a_client_cookie_lasts_a_day():
    clock = Clock()
    async with Liar(with_cookie(), tcp=with_cookie()) as liar:
        async with upstreams(liar.url, clock=clock) as made:
            await ask(made)
            clock.added += 90_000
            for _ in range(3):
                assert (await ask(made))[1] == TRUTH
        clients = [cookie_of(data)[0] for data in liar.asked]
        assert len(set(clients)) == 2 and clients[-1] != clients[0]


@pytest.mark.parametrize("wishes", [NONE, Wishes(mixed_case=False), Wishes(cookies=False), ALL])
async def test_what_is_not_wished_is_not_tried(wishes):
    async with Liar(with_cookie()) as liar, upstreams(liar.url, wishes=wishes) as made:
        for _ in range(4):
            assert (await ask(made))[1] == TRUTH
        assert all((cookie_of(data) is not None) == wishes.cookies for data in liar.asked)
        questions = {lies.question_of(data) for data in liar.asked}
        assert (len(questions) > 1) == wishes.mixed_case


@pytest.mark.parametrize("options", ["", "require-server-cookie yes;"])
async def test_a_real_server_with_cookies(tmp_path, world, options):
    with named(tmp_path, world, {}, options) as server:
        async with upstreams(server.url) as made:
            for name in ("www", "mail", "www", "www"):
                assert len((await ask(made, f"{name}.example.org"))[1]) == 1
            abilities = made.servers[0].udp.abilities
            assert len(abilities._cookie) > 12 and abilities.form == 7
