"""Upstreams dead, slow, lying: stale answers, then SERVFAIL with EDE; what needs none is answered all the same."""

import time
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import pytest

from tests.lying_upstream import Liar, deaf_after, lying
from tests.product import data, product, rcode
from tests.servers import Server, free_port, nsd

SHORT = "timeout = 0.3\ntotal = 0.8"


@pytest.fixture(scope="module")
def ageing(tmp_path_factory):
    """A product that knows one short-lived answer, and where its upstream was."""
    folder = tmp_path_factory.mktemp("ageing")
    with ExitStack() as stack:
        world = stack.enter_context(nsd(folder / "world"))
        running = stack.enter_context(product(folder / "product", world, patience=SHORT))
        assert data(running.ask("brief.example.org")) == ["192.0.2.30"]
        world.process.kill()
        world.process.wait()
        yield SimpleNamespace(running=running, folder=folder, port=world.port, stack=stack)


def test_an_expired_answer_serves_while_the_upstream_is_dead(ageing):
    running = ageing.running
    running.until(lambda: bool(running.ask("brief.example.org").extended_errors()))
    reply = running.ask("brief.example.org")
    assert data(reply) == ["192.0.2.30"] and rcode(reply) == "NOERROR"
    assert [option.code for option in reply.extended_errors()] == [3]
    assert reply.answer[0].ttl == 30
    running.event("brief.example.org", status="CACHE_STALE")
    ageing.stack.enter_context(nsd(ageing.folder / "again", port=ageing.port))


def test_dead_upstreams_give_servfail_with_the_reason_and_local_names_still_answer(tmp_path):
    nobody = Server("127.0.0.1", free_port(), None)  # type: ignore[arg-type]
    with product(tmp_path, nobody, patience=SHORT) as running:
        reply = running.ask("www.example.org")
        assert rcode(reply) == "SERVFAIL"
        assert [option.code for option in reply.extended_errors()][0] in (22, 23)
        assert data(running.ask("localhost")) == ["127.0.0.1"]
        for name in ("a.example.org", "b.example.org", "c.example.org"):
            running.ask(name)
        running.wait_for(f"upstream does not answer, or refuses .*127.0.0.1:{nobody.port}")
        event = running.event("www.example.org")
        assert (event["status"], event["reason"], event["rcode"]) == (
            "FAILED",
            "upstream",
            "SERVFAIL",
        )
        where = f"127.0.0.1:{nobody.port}"
        running.until(lambda: where in running.command("healthcheck", *running.where).stderr)
        health = running.command("healthcheck", *running.where)
        assert (health.returncode, health.stdout) == (0, "healthy\n")
        assert health.stderr.startswith(f"degraded: upstream {where} (udp) is down: ")


def test_without_network_it_starts_says_so_and_answers_what_needs_none(tmp_path):
    with product(tmp_path) as running:
        assert data(running.ask("localhost")) == ["127.0.0.1"]
        assert rcode(running.ask("printer")) == "NXDOMAIN"


def test_a_connection_to_an_upstream_that_went_deaf_is_replaced(tmp_path):
    with lying(Liar(first_tcp=deaf_after(3))) as liar:
        upstream: Any = SimpleNamespace(url=liar.tcp_url)
        with product(tmp_path, upstream, patience="timeout = 0.5\ntotal = 1.0") as running:
            replies = []
            for n in range(60):
                replies.append(running.ask(f"n{n}.example.org"))
                time.sleep(0.05)
            assert rcode(replies[0]) == rcode(replies[-1]) == "NOERROR"
            assert sum(rcode(reply) != "NOERROR" for reply in replies) <= 3
            assert liar.connections == 2


def test_an_upstream_that_is_back_is_asked_when_the_expired_answer_has_aged(ageing):
    """The last of this file: half a minute passes meanwhile."""
    running = ageing.running
    running.until(lambda: not running.ask("brief.example.org").extended_errors(), 60)
