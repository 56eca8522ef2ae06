"""What rules and lists say about a name. Pure: a policy, a name and who asks in; a verdict or None out.

Precedence: local exact allow > local pattern allow > local exact deny > local pattern deny > subscribed allow >
subscribed deny; what a group asks for by name (`chosen.py`) stands between local rules and lists. A rule is exact
where it names the very name that is asked, and a pattern where it reaches it otherwise. Among equals: redirect before
deny, the longest suffix, the first rule or list.
Addresses that lists (not zones) name are looked at in the answer, where nothing is said about the name (`addressed`).
Of the response policy zones the first that speaks has their word, as a subscribed allow or deny (`docs/rpz.md`): by the
client's address, the name asked, and then, once there is an answer, by what that shows. Terms of lines (`$important`
and kin) are weighed by `settle.py`. What no rule or list speaks about is None: the model's business.
"""

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from typing import NamedTuple

from msgspec.structs import replace

from namewarden.policy import chosen, layout, settle
from namewarden.policy.groups import Groups
from namewarden.policy.list_expressions import ListExpressions
from namewarden.policy.overlay import Overlay
from namewarden.policy.rules import Rules
from namewarden.policy.snapshot import Hit, Snapshot, shown
from namewarden.policy.spec import DECISION, GroupSpec, RuleSpec, Trigger
from namewarden.policy.terms import Asked, is_within, network_of
from namewarden.query import BlockMode, Reason, Verdict

Hits = tuple[Hit, ...]

Ranked = tuple[int, int, str, RuleSpec]  # precedence, labels above the rule's, its place
_PRECEDENCE = {
    ("allow", True): 0,
    ("allow", False): 1,
    ("redirect", True): 2,
    ("deny", True): 3,
    ("redirect", False): 4,
    ("deny", False): 5,
}
_REASONS: tuple[Reason, ...] = (
    "rule_allow", "pattern_allow", "rule_deny", "rule_deny", "pattern_deny", "pattern_deny",
)  # fmt: skip
_MODES: dict[int, BlockMode] = {
    layout.NXDOMAIN: "nxdomain",
    layout.NODATA: "nodata",
    layout.DROP: "drop",
    layout.TCP_ONLY: "tcp-only",
    layout.RECORD: "data",
    layout.REFUSED: "refused",
}
_CLIENTS = 10_000  # remembered; a flood of addresses costs the look-up again, not memory
_SPELLING = {"exact": "{}", "both": "||{}^", "below": "*.{}"}
_NAME_OCTETS = 253  # of a name as text without its final dot


class Policy:
    """A snapshot and an overlay, ready to be asked. Immutable: `with_rules` makes the next."""

    def __init__(
        self, snapshot: Snapshot, rules: Rules | None = None, before: "Policy | None" = None
    ) -> None:
        self.snapshot = snapshot
        self.generation = snapshot.generation
        self.rules = rules or Rules(Overlay())
        self.groups = Groups(snapshot.spec.groups)
        self.model = snapshot.spec.model
        expires = snapshot.spec.token_expires or (0.0,) * len(snapshot.spec.token_hashes)
        self._tokens = dict(zip(snapshot.spec.token_hashes, expires, strict=True))
        expressions = ListExpressions(snapshot, before._expressions if before else None)
        self._expressions: ListExpressions | None = expressions if expressions.count else None
        self._networks = [network_of(text) for text in snapshot.meta.blob.clients]
        self.triggers = snapshot.triggers
        self._denying = [each.kind == "deny" for each in snapshot.spec.lists]
        self._clients: dict[str, Hits] = {}
        self._addresses: dict[str, Hits] = {}
        names = [each.name for each in snapshot.spec.lists]
        self.chosen = frozenset(rank for rank, name in enumerate(names) if chosen.is_ours(name))
        kinds = [each.kind for each in snapshot.spec.lists]
        allowing = frozenset(rank for rank, kind in enumerate(kinds) if kind == "allow")
        self._kinds = settle.Kinds(allowing, self.chosen)
        self._ranks = {
            spec.name: chosen.ranks_of(spec, names)
            for spec in (*snapshot.spec.groups, self.groups.default)
        }

    def with_rules(self, rules: Rules) -> "Policy":
        """The same snapshot with other rules; everything made of the snapshot is shared."""
        other = copy(self)
        other.rules = rules
        return other

    def tokens(self, now: float) -> tuple[str, ...]:
        """Hashes of the tokens that are good at `now` (epoch seconds), though nobody published anew since."""
        return tuple(each for each, end in self._tokens.items() if not end or end > now)

    @property
    def lacks_guard(self) -> bool:
        """Whether a guard list is wanted and none of it is in force: nobody knows what is popular."""
        wanted = {each.name for each in self.snapshot.spec.lists if each.kind == "guard"}
        return bool(wanted) and not any(
            each.rules for each in self.snapshot.report if each.name in wanted
        )

    def is_guarded(self, name: str) -> bool:
        """Whether a guard list has this very name; the caller also passes the registrable domain."""
        return self.snapshot.is_guarded(name)

    def is_ruled(self, name: str) -> bool:
        """Whether a rule, whosever it is, expired or not, or an expression of a list reaches the name."""
        if self.rules.reaches(name):
            return True
        return self._expressions is not None and bool(self._expressions.find(name))

    def hits(self, name: str) -> list[Hit]:
        """All that lists say about a name, lists in order; terms are not looked at."""
        hits = self.snapshot.find(name)
        if self._expressions is not None:
            hits = sorted(hits + self._expressions.find(name), key=lambda hit: hit.list)
        return hits

    def settled(self, hits: list[Hit], name: str, asked: Asked) -> list[Hit]:
        """Those that speak, the one that decides first."""
        return settle.ordered(hits, name, asked, self._kinds)

    def class_of(self, client: str) -> str:
        """Which of the addresses and networks that lines are for hold a client: equal ones get equal verdicts."""
        fitting = (n for n, net in enumerate(self._networks) if net and is_within(client, net))
        return ",".join(map(str, fitting)) if self._networks else ""

    def of_client(self, client: str) -> Hits:
        """What zones say about the address, zones in order; mostly nothing."""
        if not self.triggers.has_clients:
            return ()
        return self._triggered("client-ip", client, self._clients)

    def of_address(self, address: str) -> Hits:
        """What lists that are no zones say about it; mostly nothing."""
        return self._triggered("address", address, self._addresses)

    def _triggered(self, trigger: Trigger, address: str, kept: dict[str, Hits]) -> Hits:
        known = kept.get(address)
        if known is None:
            if len(kept) >= _CLIENTS:
                kept.clear()
            known = kept[address] = tuple(self.snapshot.triggered(trigger, (address,)))
        return known

    def client_key(self, client: str, group: str) -> str:
        """What clients of a group share that zones know by the same triggers; "" of those that none knows."""
        ranks = self.ranks(self.groups.named(group))
        hits = [hit for hit in self.of_client(client) if ranks is None or hit.list in ranks]
        return " ".join(str(hit.offset) for hit in hits)

    def is_zone(self, hit: Hit) -> bool:
        """Whether it is a response policy zone's. Lists of allowed and guarded names are none, whatever the format."""
        return hit.zone and self._denying[hit.list]

    def end_about(self, names: Sequence[str], now: float) -> float:
        """When the next rule or line about one of the names ends (epoch seconds); 0 = none does."""
        found = [rule.expires for name in names for _, _, rule in self.rules.find(name)]
        found += [_end(self.hits(name), now) for name in names]
        return min([end for end in found if end > now], default=0.0)

    def ranks(self, group: GroupSpec) -> frozenset[int] | None:
        """The lists a group uses, None for all."""
        return self._ranks.get(group.name)


class Shown(NamedTuple):
    """What an answer shows beside names: triggers of zones."""

    addresses: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()  # of the name's zone
    server_addresses: tuple[str, ...] = ()


def lists(policy: Policy, name: str, asked: Asked, client: Hits = ()) -> Verdict | None:
    """What rules and lists say about a name, None when nothing does.

    From a client that came by a connection, what asks for nothing else (tcp-only) is silent; others speak.
    `client`: what zones say about its address (`Policy.of_client`); of the name asked only.
    """
    if not policy.rules.is_empty:
        ranked = [one for one in _rules(policy, name) if _applies(one[3], asked)]
        if ranked:
            return _of_rule(min(ranked, key=lambda one: one[:3]), policy.groups.named(asked.group))
    return _subscribed(policy, name, asked, client)


def is_let(policy: Policy, name: str, asked: Asked) -> bool:
    """Whether a local rule or decision lets a name pass by its name or one above it; not by an expression: so does a
    pause, which is about blocking."""
    return any(
        rule.effect == "allow" and rule.match != "pattern" and _applies(rule, asked)
        for _, _, rule in policy.rules.find(name)
    )


def answered(
    policy: Policy, name: str, shown: Shown, group: str, stream: bool = False, client: Hits = ()
) -> Verdict | None:
    """What zones say about the answer of a name: those before the first that speaks about the name itself."""
    spec = policy.groups.named(group)
    hits = [
        hit for hit in _shown_hits(policy, shown) if hit.list < _by_name(policy, name, spec, client)
    ]
    hit = next(iter(_used(policy, spec, hits)), None)
    if hit is None or (stream and hit.effect == layout.TCP_ONLY):
        return None
    return _of_hit(policy, hit, name, spec)


def is_awaited(policy: Policy, name: str, group: str, client: Hits = ()) -> bool:
    """Whether the answer may trigger a zone that comes before the first that speaks about the name."""
    spec = policy.groups.named(group)
    before = _by_name(policy, name, spec, client)
    ranks = policy.ranks(spec)
    return any(
        rank < before and (ranks is None or rank in ranks) for rank in policy.triggers.answer_ranks
    )


def addressed(policy: Policy, name: str, addresses: Iterable[str], asked: Asked) -> Verdict | None:
    """What lists that are no zones deny of the addresses that a name has. One is enough; what lets one pass is about
    that one alone."""
    spec = policy.groups.named(asked.group)
    for address in addresses:
        hits = policy.of_address(address)
        speaking = policy.settled(_used(policy, spec, [*hits]), name, asked) if hits else []
        if speaking and speaking[0].effect != layout.ALLOW:
            verdict = _of_hit(policy, speaking[0], name, spec)
            return replace(verdict, expires=_end(hits, asked.now))
    return None


def _shown_hits(policy: Policy, shown: Shown) -> list[Hit]:
    """Zones in order; of each the address, then the name of a server, then its address."""
    snapshot = policy.snapshot
    hits = snapshot.triggered("ip", shown.addresses)
    if shown.servers:
        hits += snapshot.triggered_by_servers(shown.servers)
        hits += snapshot.triggered("nsip", shown.server_addresses)
    return sorted(hits, key=lambda hit: hit.list)


def _by_name(policy: Policy, name: str, spec: GroupSpec, client: Hits) -> int:
    """The first zone that speaks about client or name; one behind all where none does."""
    hits = _used(policy, spec, [*client, *policy.snapshot.find(name)])
    return min(
        (hit.list for hit in hits if policy.is_zone(hit)), default=len(policy.snapshot.report)
    )


def _used(policy: Policy, spec: GroupSpec, hits: list[Hit]) -> list[Hit]:
    ranks = policy.ranks(spec)
    return hits if ranks is None else [hit for hit in hits if hit.list in ranks]


def chain(policy: Policy, cnames: Sequence[str], asked: Asked) -> tuple[int, Verdict] | None:
    """(place, what is said) of the first name of a CNAME chain that is denied, or that a zone lets pass.

    A zone's passthru is the last word about what follows, as in BIND; other allows are about that name only.
    """
    for place, name in enumerate(cnames):
        verdict = lists(policy, name, asked)
        if verdict is not None and verdict.action != "allow":
            return place, replace(verdict, reason="cname_deny")
        if verdict is not None and verdict.zone:
            return place, verdict
    return None


def _rules(policy: Policy, name: str) -> Iterator[Ranked]:
    """Local rules whose name or expression fits, expired and other groups' ones too."""
    for is_exact, above, rule in policy.rules.find(name):
        place = "" if rule.id == DECISION else rule.id  # decisions first, then rules by id
        yield _PRECEDENCE[rule.effect, is_exact], above, place, rule


def _applies(rule: RuleSpec, asked: Asked) -> bool:
    is_alive = not rule.expires or rule.expires > asked.now
    return is_alive and (not rule.groups or asked.group in rule.groups)


def _of_rule(ranked: Ranked, spec: GroupSpec) -> Verdict:
    precedence, _, _, rule = ranked
    reason = _REASONS[precedence]
    text = rule_text(rule)
    if rule.effect == "allow":
        return Verdict(action="allow", reason=reason, rule=text, expires=rule.expires)
    if rule.effect == "redirect" and spec.redirect:
        return Verdict(
            action="redirect",
            reason=reason,
            rule=text,
            mode="ip",
            addresses=spec.redirect,
            ttl=spec.ttl,
            expires=rule.expires,
        )
    return replace(_blocked(spec, spec.block, reason, text), expires=rule.expires)


def rule_text(rule: RuleSpec) -> str:
    """`rule:ID ||bad.example^ (why)`, as people write it."""
    bare = rule.name if rule.match == "pattern" else rule.name.removesuffix(".")
    text = f"/{bare}/" if rule.match == "pattern" else _SPELLING[rule.match].format(bare)
    why = "".join(char if char.isprintable() else "?" for char in rule.reason)
    said = f"rule:{shown(rule.id.encode())} {shown(text.encode())}"
    return f"{said} ({why})" if why else said


def _blocked(spec: GroupSpec, mode: BlockMode, reason: Reason, rule: str) -> Verdict:
    addresses = spec.addresses if mode == "ip" else ()
    return Verdict(
        action="block", reason=reason, rule=rule, mode=mode, addresses=addresses, ttl=spec.ttl
    )


def _subscribed(policy: Policy, name: str, asked: Asked, client: Hits) -> Verdict | None:
    hits = policy.hits(name)
    if client:
        hits = sorted([*client, *hits], key=lambda hit: hit.list)
    if not hits:
        return None
    spec = policy.groups.named(asked.group)
    used = _used(policy, spec, hits)
    if len(used) > 1 or (used and used[0].record is not None):  # one plain line needs no weighing
        used = policy.settled(_of_first_zone(policy, used), name, asked)
    for hit in used:
        if not (asked.stream and hit.effect == layout.TCP_ONLY):
            verdict, end = _of_hit(policy, hit, name, spec), _end(hits, asked.now)
            return replace(verdict, expires=end) if end else verdict
    return None


def _end(hits: Iterable[Hit], now: float) -> float:
    """When the first line about a name ends that has not ended yet; 0 = none does."""
    ends = [hit.record.terms.expires for hit in hits if hit.record and hit.record.terms]
    return min((end for end in ends if end > now), default=0.0) if ends else 0.0


def _of_first_zone(policy: Policy, hits: list[Hit]) -> list[Hit]:
    """Without what zones say after the first that speaks."""
    left: list[Hit] = []
    has_spoken = False
    for hit in hits:
        in_zone = policy.is_zone(hit)
        if hit.effect != layout.GUARD and not (has_spoken and in_zone):
            left.append(hit)
            has_spoken = has_spoken or in_zone
    return left


def denied(spec: GroupSpec, rule: str, is_chosen: bool = False) -> Verdict:
    """What a plain line of a list says to this group; `is_chosen`: of a service's that it asks for."""
    said = _blocked(spec, spec.block, "list_deny", rule)
    return replace(said, chosen=True) if is_chosen else said


def _of_hit(policy: Policy, hit: Hit, name: str, spec: GroupSpec) -> Verdict:
    rule = policy.snapshot.line(hit)
    in_zone = policy.is_zone(hit)
    data = hit.record.records if hit.record else []
    if hit.effect in (layout.ALLOW, layout.ASK) or any(
        one[0] == "CNAME" and one[2] == name for one in data
    ):
        return Verdict(action="allow", reason="list_allow", rule=rule, zone=in_zone)
    mode = _MODES.get(hit.effect)
    is_chosen = hit.list in policy.chosen
    if mode is None:
        return denied(spec, rule, is_chosen)
    if mode != "data" or not data:
        return replace(_blocked(spec, mode, "list_deny", rule), zone=in_zone)
    records = tuple(_for_name(kind, ttl, text, name) for kind, ttl, text in data)
    return Verdict(
        action="redirect",
        reason="list_deny",
        rule=rule,
        mode="data",
        records=records,
        ttl=min(ttl for _, ttl, _ in records),
        zone=in_zone,
        chosen=is_chosen,
    )


def _for_name(kind: str, ttl: int, text: str, name: str) -> tuple[str, int, str]:
    """A record of a zone as answered for `name`: `CNAME *.garden.` becomes `CNAME name.garden.`

    Its TTL is 0 then, as Unbound's is: the target is made up for this name. One that would be too long stays as it
    is, and is answered with YXDOMAIN (`block.py`), as BIND and DNAME (RFC 6672 §2.2) do.
    """
    if kind != "CNAME" or not text.startswith("*."):
        return kind, ttl, text
    target = text[2:] if name == "." else name + text[2:]
    return kind, 0, target if len(target) <= _NAME_OCTETS + 1 else text
