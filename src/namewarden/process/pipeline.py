"""The pipeline of one process, wired: all between the listeners and the upstreams. `resolver.py` opens the listeners.

Built inside a running loop; `start()` before the first query, `stop()` after the last.
"""

import functools
import time
from collections.abc import Callable
from functools import partial
from hashlib import blake2b

from msgspec.structs import replace

from namewarden import chain
from namewarden.detector.batcher import Batcher
from namewarden.detector.guard import guarded
from namewarden.detector.judge import ModelPolicy
from namewarden.detector.label import Labels, dynamic_providers
from namewarden.detector.model import Model, ModelError
from namewarden.events.rows import DeniedRows, RepeatedRows
from namewarden.net.denials import Rows
from namewarden.net.packet_cache import CacheRules, PacketCache
from namewarden.net.repeats import Repeats
from namewarden.net.udp import UdpCounts
from namewarden.net.upstreams import Upstreams
from namewarden.policy import decide
from namewarden.policy.decide import Policy
from namewarden.policy.rules import Reaches
from namewarden.policy.spec import GroupSpec
from namewarden.process.generation import Generation
from namewarden.process.paths import Paths, StartError
from namewarden.process.upstreams import upstreams_of, zone_upstreams_of
from namewarden.process.watcher import PolicyWatcher
from namewarden.query import Answer, Handler, Query, Stage, UpstreamState, Verdict
from namewarden.settings import Settings
from namewarden.stages import special
from namewarden.stages.block import blocked
from namewarden.stages.cache import Spawn, cache
from namewarden.stages.denials import PreparedDenials
from namewarden.stages.dns_cache import DnsCache
from namewarden.stages.forward import forward
from namewarden.stages.groups import groups
from namewarden.stages.guard import Faults, guard
from namewarden.stages.limit import SILENCE, TRUNCATION, Buckets, limit
from namewarden.stages.lists import asked_by, lists
from namewarden.stages.local import LocalNames, local, reserved, targets
from namewarden.stages.own import OwnRecords, read
from namewarden.stages.rebinding import rebinding
from namewarden.stages.record import EventRecorder, RowSink, TurnedAway, record, repeated, to_event
from namewarden.stages.screen import screen
from namewarden.stages.special import public_tlds
from namewarden.stages.verdict import verdict
from namewarden.stages.zones import Zones, by_zone, leading_out

Notify = Callable[[str], None]
SOURCE = "resolver"  # of the events
ORIGINAL = "original"  # of those that the original plugin asks about


class Pipeline:
    """The stages and what they share. `changed` is told which names another policy reaches, None for all."""

    def __init__(
        self,
        settings: Settings,
        paths: Paths,
        spawn: Spawn,
        sink: EventRecorder,
        notify: Notify,
        changed: Callable[[Reaches | None], None] = lambda reaches: None,
        deadline: float = 0.0,
    ) -> None:
        secret = paths.secret.read_bytes()
        self._changed = changed
        self._model_policies: dict[str, ModelPolicy] = {}
        self._lacks_guard = False
        self.watcher = PolicyWatcher(paths.snapshots, secret, self._take)
        self.faults = Faults()
        self.buckets = buckets_of(settings, secret)
        self.streams = buckets_of(settings, secret)
        self.turned_away = TurnedAway(sink)
        self._own = own_records(settings)
        self.zones = Zones(settings.zones) if settings.zones else None
        names = reserved(self._own, settings.local.search)
        self.denials = PreparedDenials(self.watcher.current, names, SOURCE)
        self.store = DnsCache(
            settings.cache.size,
            settings.cache.max_ttl,
            settings.cache.negative_ttl,
            settings.cache.stale,
        )
        self.upstreams = upstreams_of(settings, notify)
        self.zone_upstreams = zone_upstreams_of(settings)
        self.labels = labels()
        model = model_of(settings, notify)
        self.batcher = Batcher(model, deadline or settings.model.deadline, settings.model.queue)
        self._generation = Generation(settings, model.manifest, secret)
        self._stages = self._make(settings, spawn, sink)
        self.resolve = chain.resolving(self._stages)
        self.judge = chain.judging(self._stages, no_opinion)
        recorded = record(sink, source=ORIGINAL, turned_away=self.turned_away.add)
        self.judge_recorded = chain.judging(self._stages, not_known, [recorded])

    async def judge_answer(self, query: Query, given: Answer) -> Answer:
        """What lists and rules say about the answer another server has; an allow holds until a rule about it ends."""

        async def below(asked: Query) -> Answer:
            return given if asked.name == query.name else Answer(0)

        answer = await chain.judging_answer(self._stages, below)(query)
        verdict = answer.verdict or Verdict("allow", "none")
        if verdict.mode or verdict.expires:
            return answer
        names = query.name, *given.cnames, *given.targets
        end = self.watcher.current().end_about(names, time.time())
        return replace(answer, verdict=replace(verdict, expires=end))

    def generation(self) -> str:
        """Of all that verdicts are made of."""
        return self._generation.of(self.watcher.current())

    def scope_of(self, client: str) -> tuple[str, str]:
        """The client's group and scope: in one generation clients of a scope get the same verdicts."""
        policy = self.watcher.current()
        group = policy.groups.of(client).name
        known = f"{group}/{policy.client_key(client, group)}/{policy.class_of(client)}"
        return group, blake2b(known.encode(), digest_size=8).hexdigest()

    def _make(self, settings: Settings, spawn: Spawn, sink: EventRecorder) -> chain.Stages:
        policy, zones = self.watcher.current, self.zones
        names = self._local_names(settings)
        to_own = targets(names, self._is_let)
        shield = guard(self.faults)
        ask: Handler = self.upstreams.ask
        if zones is not None:
            ask = by_zone(zones, ask, [each.ask for each in self.zone_upstreams])
        return chain.Stages(
            guard=shield,
            record=record(sink, turned_away=self.turned_away.add),
            limit=limit(self.buckets, self.streams),
            groups=groups(policy),
            local=local(names, self._is_let),
            rebinding=rebinding(settings.rebinding.mode, self._owning(settings), blocked),
            lists=lists(policy, blocked, _epoch, to_own),
            verdict=verdict(
                self.labels,
                self.batcher,
                self._model_policy,
                self._guard(settings),
                blocked,
                zones,
            ),
            screen=screen(policy, blocked, _epoch, to_own),
            cache=self._cache(spawn, shield, to_own),
            forward=forward(ask),
        )

    def _cache(self, spawn: Spawn, shield: Stage, to_own: Stage) -> Stage:
        zones = self.zones
        if zones is None:
            return cache(self.store, spawn, shield)
        kept = cache(self.store, spawn, shield, view=zones.key_of if zones.differ else None)
        return leading_out(zones, to_own, kept)

    def _local_names(self, settings: Settings) -> LocalNames:
        if wrong := special.problems(settings.local.resolve):
            raise StartError("\n".join(wrong))
        return LocalNames(
            self._own,
            public_tlds(),
            settings.local.search,
            lambda domain: self.watcher.current().is_guarded(domain),
            settings.local.resolve,
            self.zones,
        )

    def _owning(self, settings: Settings) -> Callable[[Query], bool]:
        """Which names may have private addresses: the operator's zones and suffixes, and what is no public name."""
        spared = (*settings.rebinding.allow, *settings.local.search)
        below = tuple(f".{name.strip('.').lower()}." for name in spared)
        tlds, zones = public_tlds(), self.zones

        def is_own(query: Query) -> bool:
            name = query.name
            if f".{name}".endswith(below) or name[name.rfind(".", 0, -1) + 1 : -1] not in tlds:
                return True
            in_zone = zones is not None and zones.of(name, query.group) is not None
            return in_zone or special.zone_of(name) is not None

        return is_own

    def _is_let(self, query: Query) -> bool:
        asked = asked_by(query, _epoch(query.now))
        return decide.is_let(self.watcher.current(), query.name, asked)

    def _guard(self, settings: Settings) -> Callable[[str], bool]:
        if not settings.model.guard:
            return lambda name: False
        is_guarded = guarded(lambda name: self.watcher.current().is_guarded(name), self.labels)
        # Without its list the model blocks nothing: the most popular names would be among what it errs on.
        return lambda name: self._lacks_guard or is_guarded(name)

    def _model_policy(self, group: str) -> ModelPolicy:
        return self._model_policies.get(group) or self._model_policies["default"]

    def _take(self, policy: Policy, reaches: Reaches | None) -> None:
        specs = (policy.groups.default, *policy.snapshot.spec.groups)
        self._model_policies = {spec.name: model_policy_of(spec) for spec in specs}
        self._lacks_guard = policy.lacks_guard
        self._changed(reaches)

    def packet_cache(self, sink: RowSink, counts: UdpCounts, payload: int) -> PacketCache:
        """What stands before the chain (`chain.PACKET_CACHE`), made of what the stages have."""

        def turn_away(query: Query, answer: Answer) -> None:
            self.turned_away.add(to_event(query, answer, 0.0, time.time(), SOURCE))

        def record_rows(rows: Rows) -> None:
            names, packed = "\n".join(rows.names), (rows.codes.tobytes(), rows.hits.tobytes())
            sink.record_rows(DeniedRows(time.time(), *packed, rows.clients, names, rows.source))

        def record_repeats(folded: Repeats) -> None:
            sink.record_rows(
                RepeatedRows(folded.events, folded.clients, folded.times, folded.counts)
            )

        return PacketCache(
            CacheRules(
                group_of=lambda client: self.watcher.current().groups.of(client).name,
                is_allowed=self.buckets.is_allowed,
                is_limited=self.buckets.is_limited,
                admit=self.buckets.admit,
                limited=(SILENCE, TRUNCATION),
                turned_away=turn_away,
                repeated=partial(repeated, source=SOURCE),
                record_repeats=record_repeats,
                counts=counts,
                denials=self.denials.of,
                record_rows=record_rows,
                end_about=lambda names, now: self.watcher.current().end_about(names, now),
                key_of=lambda client, group: self.watcher.current().client_key(client, group),
                class_of=lambda client: self.watcher.current().class_of(client),
                payload=payload,
            )
        )

    def start(self) -> None:
        for each in self.all_upstreams:
            each.start()
        self.batcher.start()

    def stop(self) -> None:
        self.batcher.stop()
        for each in self.all_upstreams:
            each.stop()

    @property
    def all_upstreams(self) -> list[Upstreams]:
        """The general ones, then those of each zone of the settings."""
        return [self.upstreams, *self.zone_upstreams]

    def upstream_states(self) -> list[UpstreamState]:
        return [state for each in self.all_upstreams for state in each.states()]

    def counters(self) -> dict[str, int]:
        """Rising numbers for /metrics."""
        scored, cached = self.batcher.counts, self.store.counts
        return {
            "faults": self.faults.count + sum(each.faults for each in self.all_upstreams),
            "limited": self.buckets.limited + self.streams.limited,
            "turned_away_unrecorded": self.turned_away.unrecorded,
            "upstream_wrong": sum(each.wrong for each in self.all_upstreams),
            **{f"model_{name}": getattr(scored, name) for name in scored.__struct_fields__},
            **{f"cache_{name}": value for name, value in vars(cached).items()},
        }


@functools.cache
def packaged() -> Model:
    """Read once, as `labels` is. ModelError."""
    return Model()


@functools.cache
def labels() -> Labels:
    """Read once, and shared by all that are forked after that."""
    return Labels(dynamic_providers())


def _epoch(_now: float) -> float:
    return time.time()


async def no_opinion(query: Query) -> Answer:
    """The last handler behind the verdict API: nobody is asked."""
    return Answer(0)


async def not_known(query: Query) -> Answer:
    """As `no_opinion` where the event is ours: it tells no response code, for nobody tells us what the client got."""
    return Answer(0, silent=True)


def model_policy_of(group: GroupSpec) -> ModelPolicy:
    return ModelPolicy(group.mode, group.block, group.addresses, group.redirect, group.ttl)


def buckets_of(settings: Settings, secret: bytes) -> Buckets:
    rate = settings.limit
    return Buckets(settings.dns.allow, rate.rate, rate.burst, rate.slip, rate.exempt, secret)


def own_records(settings: Settings) -> OwnRecords:
    own = read(settings.local.records)
    if own.problems:
        raise StartError("local.records are wrong:\n  " + "\n  ".join(own.problems))
    return own


def model_of(settings: Settings, notify: Notify) -> Model:
    """The model of the settings; the packaged one where that cannot be used."""
    if settings.model.path is not None:
        try:
            return Model(settings.model.path)
        except ModelError as error:
            notify(f"{error}; until then the packaged model judges")
    try:
        return packaged()
    except ModelError as error:
        raise StartError(f"the installation is damaged: {error}") from error
