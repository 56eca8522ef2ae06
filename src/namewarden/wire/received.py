"""What came from an upstream → an `Answer`: read, scrubbed, and with all that it leads to.

Counterparts: `net/exchanges.py` has the octets; `message.py` reads a message as it stands.
"""

from msgspec.structs import replace

from namewarden.query import Answer
from namewarden.wire.errors import Unreadable, WireError
from namewarden.wire.message import MOST_ADDRESSES, read_answer
from namewarden.wire.scrub import CLOSER, SERVICES, seen, without_strangers
from namewarden.wire.services import led_to


def receive(data: bytes, question: bytes, now: float, upstream: str = "") -> Answer:
    """As `read_answer`, less the records that do not belong to the question. WireError, Unreadable: as there."""
    answer = read_answer(data, question, now, upstream)
    found = seen(data, 12 + len(question))
    if not found:
        return answer
    if found & CLOSER and (clean := without_strangers(data)) is not data:
        data, was_said = clean, answer.counts[0]
        answer = read_answer(clean, question, now, upstream)
        if was_said and not answer.counts[0] and not answer.ttl:
            raise Unreadable("all that it says belongs to another question")
    return _leading_on(answer, data, 12 + len(question)) if found & SERVICES else answer


def _leading_on(answer: Answer, data: bytes, start: int) -> Answer:
    """The same with what its HTTPS and SVCB records hold."""
    try:
        targets, addresses = led_to(data, start)
    except WireError as error:
        raise Unreadable(error.reason) from error
    every = dict.fromkeys((*answer.addresses, *addresses))
    return replace(answer, targets=targets, addresses=tuple(every)[:MOST_ADDRESSES])
