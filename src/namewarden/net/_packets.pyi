"""What the C helper offers; `packet_cache.py` and `denials.py` have the same in Python."""

from collections.abc import Callable
from typing import Any

from namewarden.net.datagrams import Datagram, Host
from namewarden.net.denials import Row
from namewarden.net.packet_entry import CacheClient, PacketEntry
from namewarden.net.repeats import RepeatCounter

class Packets:
    def __new__(
        cls,
        entry_class: type[PacketEntry],
        client_class: type[CacheClient],
        counter: RepeatCounter,
        keep: Callable[[CacheClient, bytes, bytes, Row, float], None],
        admit: Callable[[str, float], int],
        known: memoryview,
        payload: int,
        /,
    ) -> Packets: ...
    def answer(
        self,
        arrived: list[Datagram],
        clients: dict[Host, CacheClient],
        out: list[Datagram],
        off: list[tuple[Datagram, int]],
        now: float,
        /,
    ) -> list[Datagram]: ...
    def rows(self) -> tuple[Any, bytes, bytes, list[str], list[str]] | None: ...
