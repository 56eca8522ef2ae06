"""What has nothing to do with the question is taken out, all else stays; the C helper sees the same as its twin."""

import random

import dns.edns
import dns.flags
import dns.message
import dns.rrset
import pytest

from namewarden import native
from namewarden.wire import scrub
from namewarden.wire.errors import WireError

ASKED = dns.message.make_query("www.example.org", "A", use_edns=0)
START = 12 + len("www.example.org") + 2 + 4
SOA = "example.org. 60 IN SOA ns. host. 1 2 3 4 5"
WWW, MORE = "www.example.org. 60 IN A 192.0.2.1", "www.example.org. 60 IN A 192.0.2.2"
CHAIN = ["www.example.org. 60 IN CNAME CDN.example.net.", "cdn.example.net. 60 IN A 192.0.2.1"]
ALIAS = "www.example.org. 60 IN HTTPS 0 svc.example.net."
SIGNED = "A 8 3 60 20380101000000 20200101000000 1 example.org. AAAA"
OTHERS = "evil.example.net. 60 IN A 192.0.2.9"

Sections = tuple[list[str], list[str], list[str]]


def rrset(text):
    owner, ttl, _, kind, data = text.split(" ", 4)
    return dns.rrset.from_text(owner, int(ttl), "IN", kind, data)


def message_of(*sections, asked=ASKED):
    reply = dns.message.make_response(asked)
    reply.sections[1:] = [[rrset(text) for text in section] for section in sections]
    return reply.to_wire(max_size=65535)


def texts(data):
    reply = dns.message.from_wire(data, one_rr_per_rrset=True)
    return tuple([str(each) for each in section] for section in reply.sections[1:])


CLEAN = [
    ([WWW], [], []),
    ([WWW, MORE, f"www.example.org. 60 IN RRSIG {SIGNED}"], [], []),
    (CHAIN, [], []),
    ([], [SOA], []),
    ([CHAIN[0]], ["example.net. 60 IN SOA ns. host. 1 2 3 4 5"], []),
    ([], ["blocked.test. 60 IN SOA ns. host. 1 2 3 4 5"], []),  # of those who block: it is not kept
    ([WWW], ["example.org. 60 IN NS ns.example.net."], ["ns.example.net. 60 IN A 192.0.2.5"]),
    ([WWW], [". 60 IN NS ns.example.net."], []),
    ([CHAIN[0]], ["net. 60 IN NS ns.example.net."], []),
    ([], [SOA, "a.example.org. 60 IN NSEC z.example.org. A"], []),
    (["www.example.org. 60 IN MX 5 mx.example.com."], [], ["mx.example.com. 60 IN AAAA 2001:db8::1"]),
    (["www.example.org. 60 IN SRV 0 0 1 h.example.com."], [], ["h.example.com. 60 IN A 192.0.2.5"]),
    (
        [ALIAS], [],
        ["svc.example.net. 60 IN HTTPS 1 b.example.net.", "b.example.net. 60 IN A 192.0.2.5"],
    ),
    (["www.example.org. 60 IN HTTPS 1 ."], [], ["www.example.org. 60 IN A 192.0.2.5"]),
    (
        [
            "example.org. 60 IN DNAME example.net.", f"example.org. 60 IN RRSIG D{SIGNED.replace('A ', 'NAME ', 1)}",
            "www.example.org. 60 IN CNAME www.example.net.", "www.example.net. 60 IN A 192.0.2.1",
        ],
        [], [],
    ),
    (list(reversed(CHAIN)), [], []),  # in another order, as some servers have it
    (["www.example.org. 60 IN CNAME a.test.", "a.test. 60 IN CNAME www.example.org."], [], []),
]  # fmt: skip
FOREIGN = [
    (([OTHERS], [], []), ([], [], [])),
    (([WWW, OTHERS, MORE], [], []), ([WWW, MORE], [], [])),
    (([*CHAIN, "a.cdn.example.net. 60 IN A 192.0.2.9"], [], []), (CHAIN, [], [])),
    (([WWW, "example.org. 60 IN A 192.0.2.9"], [], []), ([WWW], [], [])),
    (([WWW, "net. 60 IN DNAME evil.test."], [], []), ([WWW], [], [])),
    (([WWW, "evil.test. 60 IN CNAME www.example.org."], [], []), ([WWW], [], [])),
    (([WWW], ["example.com. 60 IN NS ns.evil.test."], []), ([WWW], [], [])),
    (([WWW], ["example.org. 60 IN A 192.0.2.9"], []), ([WWW], [], [])),
    (([WWW], ["a.www.example.org. 60 IN NS ns.evil.test."], []), ([WWW], [], [])),
    (([WWW], [], [OTHERS]), ([WWW], [], [])),
    (([WWW], [], ["org. 60 IN NS ns.evil.test."]), ([WWW], [], [])),
    (
        ([WWW], ["com. 60 IN NS ns.evil.test."], ["ns.evil.test. 60 IN A 192.0.2.9"]),
        ([WWW], [], []),
    ),
    (([OTHERS, *CHAIN], [SOA], [OTHERS]), (CHAIN, [SOA], [])),
]


@pytest.mark.parametrize("sections", CLEAN)
def test_what_belongs_to_the_question_stays_as_it_came(sections):
    data = message_of(*sections)
    has_services = any(" HTTPS " in text for section in sections for text in section)
    assert scrub.without_strangers(data) == data
    assert bool(scrub.seen(data, START) & scrub.SERVICES) == has_services


@pytest.mark.parametrize(("sections", "left"), FOREIGN)
def test_what_does_not_is_taken_out(sections, left):
    data = message_of(*sections)
    assert scrub.seen(data, START) & scrub.CLOSER
    cleaned = scrub.without_strangers(data)
    assert texts(cleaned) == texts(message_of(*left))
    assert texts(message_of(*left)) == texts(scrub.without_strangers(cleaned))


def test_id_flags_case_and_edns_outlive_it():
    asked = dns.message.make_query("wWw.example.ORG", "A", use_edns=0, want_dnssec=True)
    reply = dns.message.make_response(asked)
    reply.flags |= dns.flags.AD
    reply.use_edns(0, options=[dns.edns.EDEOption(dns.edns.EDECode.STALE_ANSWER, "stale")])
    reply.answer = [rrset(WWW), rrset(OTHERS)]
    cleaned = dns.message.from_wire(scrub.without_strangers(reply.to_wire()))
    assert cleaned.to_wire()[12:START] == asked.to_wire()[12:START]
    assert (cleaned.id, cleaned.flags, cleaned.options) == (reply.id, reply.flags, reply.options)


def test_a_plain_answer_takes_the_short_way():
    for sections in CLEAN[:5]:
        assert scrub.look(message_of(*sections), START) == 0


def test_a_crowd_of_strangers_is_refused_before_it_costs_time():
    answers = [f"h{n}.example.net. 60 IN A 192.0.2.9" for n in range(300)]
    with pytest.raises(WireError, match="many"):
        scrub.without_strangers(message_of(answers, [], []))


def test_what_cannot_be_read_is_refused_where_it_is_not_clean():
    data = message_of([WWW, OTHERS], [], [])
    at = data.rindex(b"\0\1\0\1\0\0\0\x3c\0\4")
    broken = data[:at] + b"\0\x0f" + data[at + 2 :]  # MX: its name runs past the end
    with pytest.raises(WireError, match="cleaned"):
        scrub.without_strangers(broken)


@pytest.mark.parametrize("kind", [15, 33, 64, 65])
def test_a_record_of_another_class_names_no_host(kind):
    other = b"\xc0\x0c" + kind.to_bytes(2) + b"\0\3\0\0\0\x3c\0\3\0\1\0"
    data = bytearray(message_of([OTHERS, WWW], [], []) + other)
    data[6:12] = b"\0\2\0\0\0\1"  # it stands in additional, where the OPT was
    data[-len(other) - 11 : -len(other)] = b""
    left = dns.message.from_wire(scrub.without_strangers(bytes(data)))
    assert [str(each) for each in left.answer] == [WWW]


helper = native.load("namewarden.wire._scrub")
needs_helper = pytest.mark.skipif(helper is None, reason="the C helper is not built")


@needs_helper
@pytest.mark.parametrize("sections", [*CLEAN, *(sections for sections, _ in FOREIGN)])
def test_both_twins_see_the_same(sections):
    assert helper is not None
    data = message_of(*sections)
    for end in range(len(data) + 1):
        assert helper.look(data[:end], START) == scrub.look(data[:end], START)


@needs_helper
@pytest.mark.parametrize("seed", range(20))
def test_a_mangled_answer_is_cleaned_alike_with_and_without_the_helper(seed):
    """What one of them finds clean the other must not change: a name that cannot be read is no reader's."""
    assert helper is not None
    dice = random.Random(seed)
    every = [message_of(*sections) for sections in (*CLEAN, *(one for one, _ in FOREIGN))]
    for _ in range(400):
        data = bytearray(dice.choice(every))
        for _ in range(dice.choice((1, 1, 2, 4))):
            data[dice.randrange(12, len(data))] = dice.choice(
                (0, 1, 5, 12, 63, 192, dice.randrange(256))
            )
        looked = helper.look(bytes(data), START), scrub.look(bytes(data), START)
        if looked[0] != looked[1]:
            assert looked[1] & scrub.CLOSER and is_broken(bytes(data)), bytes(data).hex()


def is_broken(data):
    try:
        return scrub.without_strangers(data) == data
    except WireError:
        return True
