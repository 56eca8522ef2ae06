"""Which questions came lately, in a table of fixed size. Counterparts: `packet_cache.py`, and its C helper, which reads
and writes the same table.
"""

PLACES = 1 << 15  # each holds the last four marks of 16 bits that were put there: 256 KB
_MARK = 0xFFFF


class KnownQuestions:
    """Four marks a place, so that two hot questions that share one do not push each other out each time."""

    def __init__(self) -> None:
        self.table = memoryview(bytearray(8 * PLACES)).cast("Q")

    def is_known(self, key: bytes) -> bool:
        """Has this question come lately? It is from now on known; one in 16,384 strangers is taken for known."""
        mixed = hash(key)  # keyed by the interpreter, so nobody can aim at a place
        place, mark = mixed % PLACES, mixed >> 32 & _MARK or 1
        marks = self.table[place]
        if mark in (marks & _MARK, marks >> 16 & _MARK, marks >> 32 & _MARK, marks >> 48):
            return True
        self.table[place] = (marks << 16 | mark) & 0xFFFF_FFFF_FFFF_FFFF
        return False
