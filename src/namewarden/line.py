"""The line of one process, wired: everything between a door and the upstreams. `app.py` opens doors to it.

Built inside a running loop; `start()` before the first query, `stop()` after the last.
"""

import time
from collections.abc import Callable

from namewarden import chain
from namewarden.config import Settings, split_endpoint
from namewarden.detector.batcher import Batcher
from namewarden.detector.guard import guarded
from namewarden.detector.judge import Stance
from namewarden.detector.label import Labels, dynamic_providers
from namewarden.detector.model import Model, ModelError
from namewarden.keeper import Keeper
from namewarden.net.eager import Spawn
from namewarden.net.system import system_servers, without_ourselves
from namewarden.net.upstreams import Upstreams
from namewarden.places import Places, StartError
from namewarden.policy.decide import Policy
from namewarden.policy.spec import GroupSpec
from namewarden.query import Answer, Query
from namewarden.stages.cache import cache
from namewarden.stages.forward import forward
from namewarden.stages.groups import groups
from namewarden.stages.guard import Faults, guard
from namewarden.stages.limit import Buckets, limit
from namewarden.stages.lists import lists
from namewarden.stages.local import local
from namewarden.stages.own import OwnRecords, read
from namewarden.stages.record import Sink, record
from namewarden.stages.screen import screen
from namewarden.stages.special import public_tlds
from namewarden.stages.store import Store
from namewarden.stages.verdict import verdict
from namewarden.wire.answers import blocked

Say = Callable[[str], None]


class Line:
    """The stages and what they share. `changed` is called when another policy is in force."""

    def __init__(
        self,
        settings: Settings,
        places: Places,
        spawn: Spawn,
        sink: Sink,
        say: Say,
        changed: Callable[[], None] = lambda: None,
        deadline: float = 0.0,
    ) -> None:
        secret = places.secret.read_bytes()
        self._changed = changed
        self._stances: dict[str, Stance] = {}
        self.keeper = Keeper(places.snapshots / "current", secret, self._take)
        self.faults = Faults()
        self.buckets = buckets_of(settings, secret)
        self.store = Store(
            settings.cache.size,
            settings.cache.max_ttl,
            settings.cache.negative_ttl,
            settings.cache.stale,
        )
        self.upstreams = upstreams_of(settings, say)
        self.labels = Labels(dynamic_providers())
        self.batcher = Batcher(model_of(settings, say), settings.model.queue)
        self._links = self._make(settings, spawn, sink, deadline or settings.model.deadline)
        self.resolve = chain.resolving(self._links)
        self.judge = chain.judging(self._links, no_opinion)

    def _make(self, settings: Settings, spawn: Spawn, sink: Sink, deadline: float) -> chain.Links:
        policy = self.keeper.current
        shield = guard(self.faults)
        return chain.Links(
            guard=shield,
            record=record(sink),
            limit=limit(self.buckets),
            groups=groups(policy),
            local=local(own_records(settings), settings.local.search, public_tlds()),
            lists=lists(policy, blocked, _epoch),
            verdict=verdict(
                self.labels, self.batcher, self._stance, self._guard(settings), blocked, deadline
            ),
            screen=screen(policy, blocked, _epoch),
            cache=cache(self.store, spawn, shield),
            forward=forward(self.upstreams.ask),
        )

    def _guard(self, settings: Settings) -> Callable[[str], bool]:
        if not settings.model.guard:
            return lambda name: False
        return guarded(lambda name: self.keeper.current().is_guarded(name), self.labels)

    def _stance(self, group: str) -> Stance:
        return self._stances.get(group) or self._stances["default"]

    def _take(self, policy: Policy) -> None:
        specs = (policy.groups.default, *policy.snapshot.spec.groups)
        self._stances = {spec.name: stance_of(spec) for spec in specs}
        self._changed()

    def start(self) -> None:
        self.upstreams.start()
        self.batcher.start()

    def stop(self) -> None:
        self.batcher.stop()
        self.upstreams.stop()

    def counters(self) -> dict[str, int]:
        """Rising numbers for /metrics."""
        scored, cached = self.batcher.counts, self.store.counts
        return {
            "faults": self.faults.count,
            "limited": self.buckets.limited,
            "upstream_wrong": self.upstreams.wrong,
            **{f"model_{name}": getattr(scored, name) for name in scored.__struct_fields__},
            **{f"cache_{name}": value for name, value in vars(cached).items()},
        }


def _epoch(_now: float) -> float:
    return time.time()


async def no_opinion(query: Query) -> Answer:
    """The last link behind the verdict API: nobody is asked."""
    return Answer(0)


def stance_of(group: GroupSpec) -> Stance:
    return Stance(group.mode, group.block, group.addresses, group.redirect, group.ttl)


def buckets_of(settings: Settings, secret: bytes) -> Buckets:
    rate = settings.limit
    return Buckets(settings.dns.allow, rate.rate, rate.burst, rate.slip, rate.exempt, secret)


def own_records(settings: Settings) -> OwnRecords:
    own = read(settings.local.records)
    if own.problems:
        raise StartError("local.records are wrong:\n  " + "\n  ".join(own.problems))
    return own


def upstreams_of(settings: Settings, say: Say) -> Upstreams:
    """Those of the settings, or the system's; our own doors are refused. None at all is said, and is no fault."""
    given = settings.upstream.servers
    doors = [split_endpoint(each) for each in settings.dns.listen]
    servers, problems = without_ourselves(given or system_servers(), doors)
    if problems and given:
        raise StartError("\n".join(problems))
    if not servers:
        say(
            "no upstream: neither upstream.servers nor the system names one; only local names are answered"
        )
    wanted = settings.upstream
    return Upstreams(servers, wanted.timeout, wanted.total, settings.dns.udp_payload)


def model_of(settings: Settings, say: Say) -> Model:
    """The model of the settings; the packaged one where that cannot be used."""
    if settings.model.path is not None:
        try:
            return Model(settings.model.path)
        except ModelError as error:
            say(f"{error}; until then the packaged model judges")
    try:
        return Model()
    except ModelError as error:
        raise StartError(f"the installation is damaged: {error}") from error
