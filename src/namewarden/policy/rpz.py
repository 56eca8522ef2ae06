"""Response policy zones: master-file lines in their order → rules, of all five triggers, as written.

`CNAME .` is NXDOMAIN, `CNAME *.` NODATA, `rpz-passthru.`, `rpz-drop.` and `rpz-tcp-only.` what they notify, any
other data is answered (draft-vixie-dnsop-dns-rpz). Owners may be relative or carry the zone's name, which is that
of the SOA's owner; where the file does not say it, it is taken from what its absolute owners share (`zone_of`).
Counterpart: `triggers.py` finds what is triggered by an address or a name server.
"""

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from itertools import islice

import dns.exception
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from namewarden.policy import names
from namewarden.policy.lines import LINE_LIMIT, Effect, ListRule, Reading, Reason
from namewarden.policy.spec import Match, Trigger
from namewarden.policy.triggers import network_of_owner

ACTIONS: dict[str, Effect] = {
    ".": "nxdomain",
    "*.": "nodata",
    "rpz-passthru.": "allow",
    "rpz-drop.": "drop",
    "rpz-tcp-only.": "tcp-only",
}
TYPES = frozenset(
    "A AAAA CNAME TXT MX SRV PTR CAA NAPTR SVCB HTTPS SPF TLSA HINFO LOC SSHFP URI RP AFSDB CERT".split()
)
OTHER_TYPES = frozenset("SOA NS DNAME DNSKEY RRSIG NSEC NSEC3 NSEC3PARAM DS CDS CDNSKEY".split())
DEFAULT_TTL = 3600  # where neither record, $TTL nor SOA say one
OWNERS_LOOKED_AT = 2000  # to learn an unsaid zone's name; owners outside it are skipped later
RECORD_LIMIT = 64  # records of one owner that are answered
PENDING_LIMIT = 64 * 1024  # octets of one record over several lines
HEAD = 1 << 20  # octets in which the SOA stands
TRIGGERS: dict[str, Trigger] = {
    "rpz-ip": "ip",
    "rpz-client-ip": "client-ip",
    "rpz-nsdname": "nsdname",
    "rpz-nsip": "nsip",
}
_TYPE_WORDS = "|".join(sorted(TYPES | OTHER_TYPES))
_TTL_WORD = r"(?:[0-9]++[smhdw]?+)++"  # possessive: digits must not be split in every way
_RECORD = re.compile(
    rf"(?![\d.]+\s|[0-9a-f]*:)\S*\s+(?:(?:{_TTL_WORD}|IN)\s+){{0,2}}(?:{_TYPE_WORDS})\s+\S", re.I
)
_DIRECTIVE = re.compile(r"\$(?:ORIGIN|TTL|INCLUDE|GENERATE)\s", re.I)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|;.*|[()]|(?:[^\s()";\\]|\\.)+')
_TTL = re.compile(_TTL_WORD, re.I)
_TTL_PART = re.compile(r"([0-9]+)([smhdw]?)", re.I)
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_ORIGIN_SAID = re.compile(rb"^\$ORIGIN[ \t]+([^\s;]+)", re.M | re.I)
_SOA_SAID = re.compile(
    rf"^([^\s;#!|$]*)[ \t]+(?:(?:{_TTL_WORD}|IN)[ \t]+){{0,2}}SOA[ \t]+\S+[ \t]+\S".encode(),
    re.M | re.I,
)
_ABSOLUTE = re.compile(
    rb"^(?:\*\.)?([a-z0-9_.-]+\.)[ \t]{1,80}+[^\n;]{0,40}?\b(?:CNAME|A|AAAA|TXT)[ \t]", re.M | re.I
)
_FINAL_DOT = re.compile(rb"\.[ \t]")
_ZONE_WORDS = re.compile(r"rpz|block|policy|firewall|sinkhole|blacklist|denylist|local$")

Triggered = tuple[
    str, Match, Trigger
]  # name or network, how a name is matched, what it is compared with


def zone_of(data: bytes) -> str:
    """The zone's own name as far as the file tells: the SOA's owner, $ORIGIN, what absolute owners share."""
    head = data[:HEAD]
    found = _SOA_SAID.search(head)
    origin = first = ""
    for said in _ORIGIN_SAID.finditer(head, 0, found.start() if found else HEAD):
        origin = _joined(said[1].decode("latin-1").lower(), origin)
        first = first or origin
    owner = found[1].decode("latin-1").lower() if found else ""
    zone = _joined(owner, origin) if owner not in ("", "@") else origin
    zone = zone if found else first
    return zone if zone.endswith(".") and zone != "." else _shared_suffix(data)


def _joined(name: str, origin: str) -> str:
    """The name below the origin, unless it is absolute; relative where nobody said an origin."""
    if name.endswith(".") or not origin:
        return name
    return f"{name}.{origin}" if origin != "." else f"{name}."


def _shared_suffix(data: bytes) -> str:
    """The labels the first absolute owners end in, from the one that sounds like a policy zone; else ''."""
    shared: list[str] | None = None
    for found in islice(_absolute_owners(data), OWNERS_LOOKED_AT):
        labels = found[1].decode("latin-1").lower().rstrip(".").split(".")[::-1]
        shared = labels if shared is None else shared[: _agreement(shared, labels)]
        if not shared:
            return ""
    ordered = (shared or [])[::-1]
    starts = [at for at, label in enumerate(ordered) if _ZONE_WORDS.search(label)]
    return ".".join(ordered[starts[0] :]) + "." if starts else ""


def _absolute_owners(data: bytes) -> Iterator["re.Match[bytes]"]:
    """Only lines with a dot before a blank are looked at: plain lists have none, and would take 0.8 s for a million."""
    at = 0
    while dot := _FINAL_DOT.search(data, at):
        if found := _ABSOLUTE.match(data, max(data.rfind(b"\n", at, dot.start()) + 1, at)):
            yield found
        at = data.find(b"\n", dot.end()) + 1 or len(data)


def _agreement(one: list[str], other: list[str]) -> int:
    for at, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return at
    return min(len(one), len(other))


def is_zone_line(line: str) -> bool:
    """Whether a line of a mixed file is a master file's."""
    return bool(_RECORD.match(line) or _DIRECTIVE.match(line))


class Zone:
    """Reads a zone line by line; remembers origin, TTL, owner and an open parenthesis."""

    def __init__(self, zone: str = "") -> None:
        self.zone = zone
        self.origin = zone
        self.ttl = DEFAULT_TTL
        self.owner = ""
        self._pending = ""
        self._depth = 0

    @property
    def is_open(self) -> bool:
        """Whether a record goes on in the next line."""
        return self._depth > 0

    def read(self, line: str) -> Reading:
        if len(line) > LINE_LIMIT:
            return "long"
        tokens = _TOKEN.findall(line)
        self._depth += tokens.count("(") - tokens.count(")")
        words = [token for token in tokens if token not in "()" and token[0] != ";"]
        if self._pending or self._depth > 0:
            self._pending = (
                f"{self._pending} {' '.join(words)}" if self._pending else _head(line, words)
            )
            if self._depth > 0 and len(self._pending) < PENDING_LIMIT:
                return "apex"
            whole, self._pending, self._depth = self._pending, "", 0
            return self._record(whole[0].isspace(), _TOKEN.findall(whole))
        self._depth = 0
        if not words:
            return "comment" if tokens else "blank"
        if words[0].startswith("$"):
            return self._directive(words)
        return self._record(line[0].isspace(), words)

    def _directive(self, words: list[str]) -> Reading:
        keyword, value = words[0].upper(), words[1] if len(words) > 1 else ""
        if keyword == "$ORIGIN" and value:
            self.origin = self._absolute(value.lower())
            self.zone = self.zone or self.origin
            return "header"
        if keyword == "$TTL" and _TTL.fullmatch(value):
            self.ttl = _seconds(value)
            return "header"
        return "include" if keyword in ("$INCLUDE", "$GENERATE") else "syntax"

    def _absolute(self, name: str) -> str:
        if name == "@":
            return self.origin or "."
        return _joined(name, self.origin or ".")

    def _record(self, inherits: bool, words: list[str]) -> Reading:
        if not inherits:
            self.owner = words.pop(0).lower()
        ttl = self.ttl
        while words and (_TTL.fullmatch(words[0]) or words[0].upper() == "IN"):
            word = words.pop(0)
            ttl = _seconds(word) if word.upper() != "IN" else ttl
        if len(words) < 2 or not self.owner:
            return "syntax"
        kind, rdata = words[0].upper(), words[1:]
        if kind == "SOA":
            self._take_soa(rdata)
        trigger = self._trigger()
        if isinstance(trigger, str):
            return trigger
        if kind == "DNAME":  # its owner is there, and has no data (as BIND has it)
            return (_rule(trigger, "data"),)
        if kind not in TYPES:
            return "type" if kind in OTHER_TYPES or kind.startswith("TYPE") else "syntax"
        return self._rule(trigger, kind, ttl, rdata)

    def _take_soa(self, rdata: list[str]) -> None:
        if len(rdata) == 7 and _TTL.fullmatch(rdata[6]) and self.ttl == DEFAULT_TTL:
            self.ttl = _seconds(rdata[6])

    def _trigger(self) -> Triggered | Reason:
        """What the owner stands for, or why it is none."""
        owner = self._absolute(self.owner)
        zone = self.zone if self.zone != "." else ""
        if owner == zone or (self.owner == "@" and not zone):
            return "apex"
        if zone:
            if not owner.endswith(f".{zone}"):
                return "outside"
            owner = owner[: -len(zone)]
        elif self.owner.endswith("."):
            return "outside"  # absolute, and nobody knows below what
        rest, _, last = owner[:-1].rpartition(".")
        trigger = TRIGGERS.get(last, "qname")
        if trigger in ("qname", "nsdname"):
            return _named(owner if trigger == "qname" else f"{rest}.", trigger)
        network = network_of_owner(rest)
        return "trigger" if network is None else (network, "exact", trigger)

    def _rule(self, trigger: Triggered, kind: str, ttl: int, rdata: list[str]) -> Reading:
        if kind == "CNAME":
            target = rdata[0].lower()
            effect = ACTIONS.get(target)
            if effect is None and target.rstrip(".").rpartition(".")[2].startswith("rpz-"):
                return "action"  # that TLD is for actions, and this one is none that we know
            if effect is None and self._is_itself(target, trigger):
                effect = "allow"  # passthru's old spelling
            if effect is not None:
                return (_rule(trigger, effect),)
        text = self._rdata(kind, rdata)
        if text is None:
            return "syntax"
        return (_rule(trigger, "data", ((kind, ttl, text),)),)

    def _is_itself(self, target: str, trigger: Triggered) -> bool:
        if trigger[2] in ("qname", "nsdname"):
            return self._absolute(target) == trigger[0]
        return target.endswith(".") and self.owner.startswith(f"{target}rpz-")

    def _rdata(self, kind: str, words: list[str]) -> str | None:
        try:
            if kind == "A":
                return str(IPv4Address(words[0]))
            if kind == "AAAA":
                return str(IPv6Address(words[0]))
            if kind == "CNAME" and len(words) == 1 and names.listed(words[0].removeprefix("*.")):
                return self._absolute(words[0].lower())
            origin = dns.name.from_text(self.origin or ".")
            rdata = dns.rdata.from_text(
                dns.rdataclass.IN, kind, " ".join(words), origin, relativize=False
            )
            return rdata.to_text()
        except (dns.exception.DNSException, ValueError):
            return None


def _named(owner: str, trigger: Trigger) -> Triggered | Reason:
    """A trigger that is a name, perhaps a wildcard."""
    if owner == "*.":
        return ".", "below", trigger
    match: Match = "below" if owner.startswith("*.") else "exact"
    name = names.listed(owner.removeprefix("*."))
    return (name, match, trigger) if name else "wildcard" if "*" in owner else "name"


def _rule(
    trigger: Triggered, effect: Effect, records: tuple[tuple[str, int, str], ...] = ()
) -> ListRule:
    name, match, kind = trigger
    return ListRule(name, match, effect, True, records, kind)


def _head(line: str, words: list[str]) -> str:
    return (" " if line[0].isspace() else "") + " ".join(words)


def _seconds(text: str) -> int:
    parts = (int(n[:10]) * _SECONDS[unit.lower()] for n, unit in _TTL_PART.findall(text[:20]))
    return min(sum(parts), 0x7FFFFFFF)
