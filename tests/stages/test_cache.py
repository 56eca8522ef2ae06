"""Kept by TTL, coalesced, stale in bad times; with real servers, and with lying ones for the faults."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest
from msgspec.structs import replace

from namewarden.chain import compose
from namewarden.net.upstreams import Upstreams
from namewarden.query import Answer
from namewarden.stages.cache import cache
from namewarden.stages.dns_cache import DnsCache
from namewarden.stages.forward import forward
from namewarden.stages.guard import Faults, guard
from namewarden.stages.record import record
from namewarden.wire.message import read_answer, write_query
from tests import lying_upstream as lies
from tests.asking import message, query, texts
from tests.lying_upstream import Liar
from tests.servers import free_port, nsd


class World:
    """A following handler that counts, waits and fails as told; and the time."""

    def __init__(self):
        self.now = 1000.0
        self.asked = 0
        self.ttl = 60
        self.failure: Answer | None = None
        self.gate: asyncio.Event | None = None

    def clock(self):
        return self.now

    async def __call__(self, asked):
        self.asked += 1
        if self.gate:
            await self.gate.wait()
        if self.failure:
            return self.failure
        data = lies.reply(write_query(asked, 1, 1232), ttl=self.ttl)
        return read_answer(data, asked.question, self.now)

    def query(self, name="www.example.org", qtype="A", **options):
        return query(name, qtype, now=self.now, **options)


@asynccontextmanager
async def cached(following, clock=None, patience=1.8, **options):
    """The stage over `following`; its tasks end with the block."""
    more = {"view": options.pop("view", None)} | ({"clock": clock} if clock else {})
    store = DnsCache(options.pop("size", 1 << 20), **options)
    tasks = set()

    def spawn(work):
        task = asyncio.ensure_future(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    stage = cache(store, spawn, guard(Faults()), patience=patience, **more)
    try:
        yield compose([stage], following), store
    finally:
        for task in list(tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


SERVFAIL = Answer(2, upstream="192.0.2.1:53")
FAILED = Answer(2, status="FAILED", ede=((22, ""),))
BOGUS = Answer(2, ede=((6, "signature expired"),))


async def test_a_second_question_is_a_hit_with_its_ttl_counted_down():
    world = World()
    async with cached(world, world.clock) as (ask, store):
        first = await ask(world.query())
        world.now += 20.5
        asked = world.query("WWW.example.org")
        second = await ask(asked)
        assert (first.status, second.status, world.asked) == ("FORWARDED", "CACHE", 1)
        assert message(asked, second, world.now).answer[0].ttl == 40
        assert (store.counts.hits, store.counts.misses) == (1, 1)
        world.now += 39.5
        assert (await ask(world.query())).status == "FORWARDED"


@pytest.mark.parametrize(
    "other",
    [{"qtype": "AAAA"}, {"want_dnssec": True}, {"flags": 0x0110}, {"name": "www2.example.org"}],
    ids=["type", "DO", "CD", "name"],
)
async def test_another_question_is_another_entry(other):
    world = World()
    async with cached(world, world.clock) as (ask, _):
        await ask(world.query())
        assert (await ask(world.query(**other))).status == "FORWARDED"
        assert world.asked == 2


async def test_many_who_ask_the_same_are_one_question_and_one_who_leaves_takes_nobody_along():
    world = World()
    world.gate = asyncio.Event()
    async with cached(world, world.clock) as (ask, store):
        tasks = [asyncio.ensure_future(ask(world.query())) for _ in range(50)]
        await asyncio.sleep(0.01)
        tasks[0].cancel()
        tasks[7].cancel()
        await asyncio.sleep(0)
        world.gate.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert sum(isinstance(one, Answer) for one in results) == 48
        assert world.asked == 1 and store.counts.coalesced == 49


async def test_ttl_0_is_shared_by_who_waits_and_not_kept():
    world = World()
    world.ttl = 0
    async with cached(world, world.clock) as (ask, store):
        await asyncio.gather(*(ask(world.query()) for _ in range(5)))
        assert world.asked == 1 and len(store) == 0


async def test_truncated_answers_are_not_kept_nor_questions_without_recursion():
    world = World()
    async with cached(world, world.clock) as (ask, store):
        await ask(world.query(flags=0))
        assert len(store) == 0
        world.failure = Answer(0, tc=True, ttl=60, stored=world.now)
        await ask(world.query())
        assert len(store) == 0


async def test_a_servers_failure_is_kept_5_seconds_and_no_server_1():
    world = World()
    async with cached(world, world.clock) as (ask, _):
        for failure, seconds in ((SERVFAIL, 5), (FAILED, 1)):
            world.failure, world.asked = failure, 0
            name = f"{failure.status}.example.org"
            await ask(world.query(name))
            world.now += seconds - 0.1
            assert (await ask(world.query(name))).rcode == 2 and world.asked == 1
            world.now += 0.2
            await ask(world.query(name))
            assert world.asked == 2


@pytest.mark.parametrize("failure", [SERVFAIL, FAILED], ids=["SERVFAIL", "unreachable"])
async def test_an_expired_answer_serves_when_refreshing_fails(failure):
    world = World()
    async with cached(world, world.clock) as (ask, store):
        await ask(world.query())
        world.now += 100
        world.failure = failure
        asked = world.query()
        answer = await ask(asked)
        said = message(asked, answer, world.now)
        assert (answer.status, said.answer[0].ttl, world.asked) == ("CACHE_STALE", 30, 2)
        assert [option.code for option in said.options] == [3]
        world.now += 29
        assert (await ask(world.query())).status == "CACHE_STALE"
        assert world.asked == 2  # not asked again for half a minute
        world.now += 2
        world.failure = None
        assert (await ask(world.query())).status == "FORWARDED"
        assert store.counts.stale == 2


async def test_a_late_upstream_gives_the_client_the_stale_answer_and_refreshes_all_the_same():
    world = World()
    async with cached(world, world.clock, patience=0.05) as (ask, _):
        await ask(world.query())
        world.now += 100
        world.gate = asyncio.Event()
        assert (await ask(world.query())).status == "CACHE_STALE"
        world.gate.set()
        await asyncio.sleep(0.01)
        assert (await ask(world.query())).status == "CACHE" and world.asked == 2


async def test_too_old_is_not_served_and_bogus_is_not_hidden():
    world = World()
    async with cached(world, world.clock, stale=1000) as (ask, _):
        await ask(world.query())
        world.failure = BOGUS
        world.now += 100
        assert (await ask(world.query())).rcode == 2
        await ask(world.query("old.example.org"))
    async with cached(world, world.clock, stale=1000) as (ask, _):
        world.failure = None
        await ask(world.query())
        world.failure = SERVFAIL
        world.now += 1061
        assert (await ask(world.query())).rcode == 2


async def test_a_stale_denial_says_19():
    world = World()
    async with cached(world, world.clock) as (ask, _):
        world.failure = Answer(3, ttl=60, stored=world.now)
        await ask(world.query())
        world.now += 100
        world.failure = FAILED
        answer = await ask(world.query())
        assert (answer.rcode, answer.ede[-1][0]) == (3, 19)


async def test_a_bug_below_fails_its_waiters_and_nobody_else():
    world = World()

    async def broken(asked):
        if asked.name.startswith("broken"):
            raise ZeroDivisionError
        return await world(asked)

    async with cached(broken, world.clock) as (ask, _):
        answers = await asyncio.gather(
            ask(world.query("broken.example.org")), ask(world.query("fine.example.org"))
        )
        assert [answer.rcode for answer in answers] == [2, 0]


async def test_the_end_of_the_server_ends_who_waits():
    world = World()
    world.gate = asyncio.Event()
    async with cached(world, world.clock) as (ask, _):
        waiting = asyncio.ensure_future(ask(world.query()))
        await asyncio.sleep(0.01)
    with pytest.raises(asyncio.CancelledError):
        await waiting


@asynccontextmanager
async def resolving(*servers, **options):
    upstreams = Upstreams(servers, timeout=0.3, total=0.6)
    upstreams.start()
    try:
        async with cached(forward(upstreams.ask), **options) as (ask, store):
            yield ask, store
    finally:
        upstreams.stop()


@pytest.mark.parametrize("name", ["none", "dangling", "loose", "hidden"])
async def test_real_denials_are_kept_as_their_soa_says(resolver, name):
    async with resolving(resolver.url) as (ask, _):
        asked = query(f"{name}.example.org")
        first = await ask(asked)
        second = await ask(asked)
        assert (first.status, second.status) == ("FORWARDED", "CACHE")
        assert 0 < second.ttl <= 60
        soa = message(asked, second).authority[0]
        assert soa.ttl <= 60
    async with resolving(resolver.url, negative_ttl=5) as (ask, _):
        assert (await ask(query(f"{name}.example.org"))).ttl <= 5


async def test_real_ttls_are_capped_and_short_ones_expire(resolver):
    async with resolving(resolver.url, max_ttl=100) as (ask, _):
        asked = query("eternal.example.org")
        assert message(asked, await ask(asked)).answer[0].ttl == 100
        await ask(query("brief.example.org"))
        later = query("brief.example.org")
        assert (await ask(replace(later, now=later.now + 1.1))).status == "FORWARDED"


async def test_a_real_server_that_died_is_served_stale_then_fresh_again(tmp_path):
    port = free_port()
    async with resolving(f"udp://127.0.0.1:{port}") as (ask, _):
        with nsd(tmp_path, port=port):
            asked = query("brief.example.org")
            assert texts(asked, await ask(asked)) == ["192.0.2.30"]
        later = query("brief.example.org")
        later = replace(later, now=later.now + 2)
        answer = await ask(later)
        assert (answer.status, texts(later, answer)) == ("CACHE_STALE", ["192.0.2.30"])
        unknown = await ask(query("www.example.org"))
        assert (unknown.rcode, unknown.status, unknown.ede[0][0]) == (2, "FAILED", 23)
        with nsd(tmp_path, port=port):
            again = query("brief.example.org")
            assert (await ask(replace(again, now=again.now + 60))).status == "FORWARDED"


async def test_poison_does_not_reach_the_cache():
    async with Liar(lies.then_truth(lies.wrong_id, times=50)) as liar:
        async with resolving(liar.url) as (ask, _):
            asked = query("www.example.org")
            await ask(asked)
            assert texts(asked, await ask(asked)) == ["192.0.2.99"]


async def test_without_recursion_desired_the_cache_answers_and_nobody_is_asked():
    world = World()
    events = []

    class Events:
        record = events.append

    async with cached(world, world.clock) as (ask, store):
        told = compose([record(Events(), world.clock)], ask)
        refused = world.query(flags=0)
        answer = await told(refused)
        said = message(refused, answer, world.now)
        assert (said.rcode(), [option.code for option in said.options]) == (5, [20])
        await told(world.query())
        assert (await told(world.query(flags=0))).status == "CACHE" and world.asked == 1
        world.now += 61
        assert (await told(world.query(flags=0))).status == "REFUSED" and world.asked == 1
        assert (store.counts.hits, store.counts.misses) == (1, 1)
    assert [(event.status, event.rcode) for event in events] == [
        ("REFUSED", "REFUSED"), ("FORWARDED", "NOERROR"), ("CACHE", "NOERROR"), ("REFUSED", "REFUSED"),
    ]  # fmt: skip
