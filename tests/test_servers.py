"""The real servers that tests lean on answer as their callers expect."""

import dns.message
import dns.query
import dns.rcode

from tests.servers import Server


def ask(server: Server, name: str, qtype: str, **options) -> dns.message.Message:
    query = dns.message.make_query(name, qtype, use_edns=0, payload=1232)
    return dns.query.udp(query, server.host, port=server.port, timeout=5, **options)


def test_the_world_has_every_name(world):
    assert ask(world, "whatever.you.ask", "A").answer[0][0].to_text() == "192.0.2.1"


def test_the_world_has_denials_and_chains(world):
    assert ask(world, "none.example.org", "A").rcode() == dns.rcode.NXDOMAIN
    assert not ask(world, "hidden.example.org", "A").answer
    assert len(ask(world, "chain.example.org", "A").answer) == 4
    assert ask(world, "long.example.org", "TXT").flags & dns.flags.TC


def test_the_resolver_resolves_through_the_world(resolver):
    assert ask(resolver, "chain.example.org", "A").answer[-1][0].to_text() == "192.0.2.20"
    assert ask(resolver, "any.name.test", "A").answer[0][0].to_text() == "192.0.2.1"
