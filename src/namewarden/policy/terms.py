"""What a line of a list says beside its name: for which types and clients, how strongly, and what it spares.

Most lines have none of it. Counterparts: `options.py` and `expressions.py` read terms, `settle.py` weighs them.
"""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network

from msgspec import Struct

from namewarden.policy.groups import plain_address
from namewarden.settings import plain_network

A, AAAA = 1, 28  # types


class Asked(Struct, frozen=True, gc=False):
    """Who asks, for what, and when. `stream`: the client came by a connection."""

    group: str
    now: float  # epoch seconds
    stream: bool = False
    qtype: int = A
    client: str = ""  # address; "" = nobody's


class Terms(Struct, frozen=True, array_like=True):
    """All must hold for the line to speak."""

    important: bool = False  # beats what is not
    is_bad: bool = False  # takes away the line that says the same without this word
    rewrites: bool = False  # answers instead of blocking; an allow takes only such answers away
    types: tuple[int, ...] = ()  # empty = all
    not_types: tuple[int, ...] = ()
    clients: tuple[str, ...] = ()  # addresses, networks, groups; empty = all
    not_clients: tuple[str, ...] = ()
    spared: tuple[str, ...] = ()  # FQDNs; nothing is said about them and what is below
    inverts: bool = False  # an expression speaks about the names that it does not find
    expires: float = 0.0  # epoch seconds; 0 = never

    @property
    def is_narrow(self) -> bool:
        """Whether it leaves addresses alone: such a line takes nobody off the network."""
        return bool(self.types and not {A, AAAA} & set(self.types)) or {A, AAAA} <= set(
            self.not_types
        )


def applies(terms: Terms, name: str, asked: Asked) -> bool:
    """Whether they hold for a name and who asks for it."""
    if terms.expires and terms.expires <= asked.now:
        return False
    if terms.types and asked.qtype not in terms.types or asked.qtype in terms.not_types:
        return False
    if terms.clients and not any(is_client(text, asked) for text in terms.clients):
        return False
    if any(is_client(text, asked) for text in terms.not_clients):
        return False
    return not is_spared(terms, name)


def is_spared(terms: Terms, name: str) -> bool:
    return any(name == one or name.endswith(f".{one}") for one in terms.spared)


def is_client(text: str, asked: Asked) -> bool:
    """Whether an address, a network or a group is that of who asks."""
    network = network_of(text)
    if network is None:
        return text == asked.group
    return is_within(asked.client, network)


def is_within(client: str, network: IPv4Network | IPv6Network) -> bool:
    try:
        return plain_address(client) in network
    except ValueError:
        return False


@lru_cache(maxsize=4096)
def network_of(text: str) -> IPv4Network | IPv6Network | None:
    """None for a name."""
    try:
        return plain_network(text)
    except ValueError:
        return None
