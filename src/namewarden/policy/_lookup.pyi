"""What the C helper offers; `snapshot.py` has the same in Python."""

from collections.abc import Sequence
from mmap import mmap

class Lookup:
    def __new__(
        cls,
        mapped: mmap,
        sections: tuple[tuple[int, int, bytes, bytes], ...],
        secret: bytes,
        table: int,
        places: int,
        homes: int,
        sieve: int,
        mask: int,
        exact: int,
        below: int,
        /,
    ) -> Lookup: ...
    @property
    def api(self) -> object: ...
    def claims(self, name: str, /) -> Sequence[tuple[int, int, int]] | None: ...
    def lines(self, hits: bytes, /) -> str: ...
