"""What a listener has taken from its socket and cannot serve yet, shared out among the clients: round robin, of each
the oldest first. Where it is full the client with the most gives up its oldest, so a flood costs who asks little
nothing. Counterpart: `udp.py`; without it the socket's buffer would drop without regard to who asks.
"""

from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import Generic, TypeVar

from namewarden.shares import Shares

Item = TypeVar("Item")


class FairQueue(Generic[Item]):
    """At most `most` items."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0
        self._clients: OrderedDict[Hashable, deque[Item]] = OrderedDict()  # whose turn it is
        self._shares: Shares[Hashable] = Shares()

    def __len__(self) -> int:
        return self._count

    def put(self, client: Hashable, item: Item) -> bool:
        """False: another item was given up for it, or this one itself."""
        items = self._clients.get(client)
        if items is None:
            items = self._clients[client] = deque()
        items.append(item)
        self._count += 1
        self._shares.resize(client, len(items) - 1, len(items))
        if self._count <= self._most:
            return True
        self._take(self._shares.largest())
        return False

    def take(self) -> Item:
        """The next one; there is one."""
        client = next(iter(self._clients))
        self._clients.move_to_end(client)
        return self._take(client)

    def _take(self, client: Hashable) -> Item:
        items = self._clients[client]
        item = items.popleft()
        self._count -= 1
        self._shares.resize(client, len(items) + 1, len(items))
        if not items:
            del self._clients[client]
        return item
