"""What came from an upstream → an `Answer`: read, scrubbed, and with all that it leads to.

Counterparts: `net/exchanges.py` has the octets; `message.py` reads a message as it stands.
"""

from msgspec.structs import replace

from namewarden.query import Answer
from namewarden.wire import scrub
from namewarden.wire.errors import Unreadable, WireError
from namewarden.wire.message import MOST_ADDRESSES, read_answer
from namewarden.wire.services import led_to


def receive(data: bytes, question: bytes, now: float, upstream: str = "") -> Answer:
    """As `read_answer`, less the records that do not belong to the question. WireError, Unreadable: as there."""
    answer = read_answer(data, question, now, upstream)
    start = 12 + len(question)
    clean, has_services = scrub.scrubbed(data, start)
    if clean is not data:
        answer = read_answer(clean, question, now, upstream)
    if not has_services:
        return answer
    try:
        targets, addresses = led_to(clean, start)
    except WireError as error:
        raise Unreadable(error.reason) from error
    every = dict.fromkeys((*answer.addresses, *addresses))
    return replace(answer, targets=targets, addresses=tuple(every)[:MOST_ADDRESSES])
