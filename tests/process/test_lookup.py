"""The hub's own resolver, against a real one."""

import dns.message
import pytest

from namewarden.process.lookup import HostLookup
from namewarden.settings import Settings, Upstream
from tests.lying_upstream import Liar
from tests.servers import Server, free_port


def looking(*servers: str) -> HostLookup:
    lookup = HostLookup(Settings(upstream=Upstream(servers=servers, timeout=0.5, total=0.5)))
    lookup.start()
    return lookup


async def test_addresses_of_both_kinds_through_the_upstreams(resolver: Server) -> None:
    for server in (resolver.url, resolver.tcp_url):
        lookup = looking(server)
        assert await lookup.addresses("www.example.org.") == ("192.0.2.20", "2001:db8::20")
        assert await lookup.addresses("chain.example.org.") == ("192.0.2.20", "2001:db8::20")
        lookup.stop()


@pytest.mark.parametrize(
    ("name", "words"),
    [("gone.example.org.", "NXDOMAIN"), ("hidden.example.org.", "NOERROR")],
)
async def test_who_has_none_is_told_why(resolver: Server, name: str, words: str) -> None:
    lookup = looking(resolver.url)
    with pytest.raises(OSError, match=f"no address of {name}: the upstream says {words}"):
        await lookup.addresses(name)
    lookup.stop()


async def test_names_in_a_zone_of_ones_own_are_asked_of_its_servers(resolver: Server) -> None:
    silent = f"udp://127.0.0.1:{free_port()}"
    zone = {"names": ["example.org"], "servers": [resolver.url]}
    upstream = {"servers": [silent], "timeout": 0.2, "total": 0.2}
    lookup = HostLookup(Settings.model_validate({"upstream": upstream, "zones": [zone]}))
    lookup.start()
    assert await lookup.addresses("mail.example.org.") == ("192.0.2.11",)
    with pytest.raises(OSError, match="no address of mail.example.net"):
        await lookup.addresses("mail.example.net.")
    lookup.stop()


async def test_a_server_is_asked_as_the_settings_wish() -> None:
    async with Liar() as liar:
        wishes = {"servers": [liar.url], "mixed_case": False, "cookies": False}
        lookup = HostLookup(Settings.model_validate({"upstream": wishes}))
        lookup.start()
        assert "192.0.2.99" in await lookup.addresses("lists.example.org.")
        lookup.stop()
    asked = [dns.message.from_wire(data) for data in liar.asked]
    assert [(str(each.question[0].name), each.options) for each in asked] == [
        ("lists.example.org.", ())
    ] * 2


async def test_nobody_answers() -> None:
    lookup = looking(f"udp://127.0.0.1:{free_port()}")
    with pytest.raises(OSError, match="no address of x.example.org.: 127.0.0.1:"):
        await lookup.addresses("x.example.org.")
    lookup.stop()


async def test_our_own_listeners_are_not_asked() -> None:
    lookup = looking("udp://127.0.0.1:1053")
    with pytest.raises(OSError, match="no upstream is configured"):
        await lookup.addresses("x.example.org.")
    lookup.stop()
