"""Which group a client belongs to: the longest of all groups' networks that holds its address."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from namewarden.policy.spec import GroupSpec
from namewarden.settings import plain_network

DEFAULT = "default"
REMEMBERED = 10_000  # clients; a flood of addresses costs the look-up again, not memory
_BITS = {4: 32, 6: 128}


class Groups:
    """Precomputed, immutable but for the clients it remembers."""

    def __init__(self, specs: Sequence[GroupSpec]) -> None:
        self._named = {spec.name: spec for spec in reversed(specs)}
        self.default = self._named.setdefault(DEFAULT, GroupSpec(name=DEFAULT))
        self._networks: dict[tuple[int, int], dict[int, GroupSpec]] = {}
        for spec in specs:
            for text in spec.clients:
                self._add(text, spec)
        self._lengths = sorted(self._networks, reverse=True)
        self._known: dict[str, GroupSpec] = {}

    def _add(self, text: str, spec: GroupSpec) -> None:
        network = plain_network(text)
        key = network.version, network.prefixlen
        host_bits = _BITS[network.version] - network.prefixlen
        prefix = int(network.network_address) >> host_bits
        self._networks.setdefault(key, {}).setdefault(prefix, spec)

    def of(self, client: str) -> GroupSpec:
        """The group of a client's address; text that is no address belongs to the default."""
        known = self._known.get(client)
        if known is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            known = self._known[client] = self._look(client)
        return known

    def named(self, name: str) -> GroupSpec:
        """The group of this name; the default when there is none (any more)."""
        return self._named.get(name, self.default)

    def _look(self, client: str) -> GroupSpec:
        try:
            address = plain_address(client)
        except ValueError:
            return self.default
        number, version = int(address), address.version
        for of_version, length in self._lengths:
            if of_version == version:
                prefix = number >> (_BITS[version] - length)
                if found := self._networks[of_version, length].get(prefix):
                    return found
        return self.default


def plain_address(client: str) -> IPv4Address | IPv6Address:
    """Without scope; an IPv4 client on a dual-stack socket is an IPv4 client."""
    address = ip_address(client.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address
