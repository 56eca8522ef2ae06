"""Names that wait for the model, shared out among the clients that asked: round robin, of each client the newest first.

No more wait than can be scored in time, by the rate that was measured. Where it is full the client with the most names
gives up its oldest, so who asks little is not among those turned away while another floods. Counterpart: `batcher.py`,
which has the clock and the thread.
"""

from collections import OrderedDict

from msgspec import Struct

from namewarden.shares import Shares

BATCH = 64  # names at once: more are no faster
SHARE = (
    0.5  # of the deadline may be spent waiting for others: the rest is for what the loop has to do
)
NEWS = 0.2  # what a batch counts in the measured rate
Client = bytes  # what of an address counts as one client: `stages/limit.py` says


class Wanted(Struct, gc=False):
    """Who waits for a name, and until when the last of them does."""

    clients: set[Client]
    until: float


class Backlog:
    """`now` is monotonic seconds. A name that several clients want is taken once."""

    def __init__(self, most: int, deadline: float) -> None:
        self._most = most
        self._deadline = deadline
        self._seconds = 0.0  # that a name takes in a full batch; 0 = not measured yet
        self._clients: OrderedDict[Client, dict[str, None]] = OrderedDict()  # whose turn it is
        self._wanted: dict[str, Wanted] = {}
        self._shares: Shares[Client] = Shares()  # how many names each waits for

    def __len__(self) -> int:
        return len(self._wanted)

    @property
    def room(self) -> int:
        """How many may wait."""
        return min(self._most, self._in_time)

    @property
    def batch(self) -> int:
        """How many are scored at once: of a slow model few, that the first need not wait for the last."""
        return min(BATCH, max(1, self._in_time // 4))

    @property
    def _in_time(self) -> int:
        if not self._seconds:
            return self._most + 4 * BATCH
        return max(1, int(SHARE * self._deadline / self._seconds))

    def add(self, name: str, client: Client, now: float) -> list[str]:
        """Names that nobody waits for any more, turned away for this one."""
        wanted = self._wanted.setdefault(name, Wanted(set(), 0.0))
        wanted.until = now + self._deadline
        names = self._clients.setdefault(client, {})
        if client not in wanted.clients:
            wanted.clients.add(client)
            names[name] = None
            self._shares.resize(client, len(names) - 1, len(names))
        turned_away: list[str] = []
        while len(self._wanted) > self.room:
            turned_away += self._give_up()
        return turned_away

    def take(self, now: float) -> list[str]:
        """The next batch, a client after the other; what nobody waits for any more is left out."""
        taken: list[str] = []
        most = self.batch
        while self._clients and len(taken) < most:
            client = next(iter(self._clients))
            name = next(reversed(self._clients[client]))
            self._clients.move_to_end(client)
            if self._wanted[name].until > now:
                taken.append(name)
            self.remove(name)
        return taken

    def took(self, names: int, seconds: float) -> None:
        """What a batch took: only full ones, and those that took long, say what can be done."""
        if names == self.batch or seconds > SHARE * self._deadline / 4:
            each = seconds / names
            self._seconds = self._seconds + NEWS * (each - self._seconds) if self._seconds else each

    def remove(self, name: str) -> None:
        """Nobody waits for it any more."""
        wanted = self._wanted.pop(name, None)
        for client in wanted.clients if wanted else ():
            self._drop(name, client)

    def _give_up(self) -> list[str]:
        """The oldest name of the client that has the most, unless another client waits for it too."""
        client = self._shares.largest()
        name = next(iter(self._clients[client]))
        wanted = self._wanted[name]
        wanted.clients.remove(client)
        self._drop(name, client)
        if wanted.clients:
            return []
        del self._wanted[name]
        return [name]

    def _drop(self, name: str, client: Client) -> None:
        names = self._clients[client]
        del names[name]
        self._shares.resize(client, len(names) + 1, len(names))
        if not names:
            del self._clients[client]
