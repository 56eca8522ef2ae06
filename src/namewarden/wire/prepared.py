"""The order of the answers that are prepared for each list: by kind of type, there by what the query says of EDNS.

Counterparts: `stages/denials.py` prepares them, the packet cache of `net/` and its C helper find them.
"""

from namewarden.query import Query
from namewarden.wire.types import AAAA, TXT, A

KINDS = (A, AAAA, TXT)  # of types: an answer is one of the first two's, or any other's
EDNS = ((0, False), (512, False), (512, True))  # UDP size and DO: no OPT, OPT, OPT with DO
EACH = len(KINDS) * len(EDNS)


def place_of(query: Query) -> int:
    """Of its answer among those of a list."""
    kind = 0 if query.qtype == A else 1 if query.qtype == AAAA else 2
    return len(EDNS) * kind + (0 if not query.payload else 2 if query.do else 1)
