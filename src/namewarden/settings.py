"""Every setting once: its type, its default, its line of help. `config.py` reads them from file and environment.

Frozen sections, strict: an unknown key is an error. Imports nothing of ours but the words of `query.py`. A
setting's docstring is its reference entry (`docs/settings.md` is made of them).
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    field_serializer,
    model_validator,
)

from namewarden.query import BlockMode, ModelMode

PRIVATE_NETWORKS = (
    "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10",
    "::1/128", "fc00::/7", "fe80::/10",
)  # fmt: skip


def split_endpoint(text: str) -> tuple[str, int]:
    """`127.0.0.1:53`, `[::1]:53` → (address, port). ValueError for anything else."""
    host, colon, port = text.rpartition(":")
    if not colon:
        raise ValueError("there is no port")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    ipaddress.ip_address(host)
    number = int(port)
    if not 0 <= number <= 65535:
        raise ValueError(f"port {number} is not between 0 and 65535")
    return host, number


def _endpoint(text: str) -> str:
    try:
        split_endpoint(text)
    except ValueError as problem:
        raise ValueError(
            f"{text!r} is not ADDRESS:PORT such as 127.0.0.1:1053 or [::1]:1053 ({problem})"
        ) from problem
    return text


def _loopback(text: str) -> str:
    if not ipaddress.ip_address(split_endpoint(_endpoint(text))[0]).is_loopback:
        raise ValueError(f"{text!r} is no loopback address, and nobody is asked for a token")
    return text


def _upstream(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("udp", "tcp"):
        raise ValueError(f"{text!r} is not udp://ADDRESS:PORT or tcp://ADDRESS:PORT")
    if parts.path or parts.query or parts.fragment or parts.netloc.endswith(":0"):
        raise ValueError(f"{text!r} has more than an address and a port from 1 to 65535")
    _endpoint(parts.netloc if parts.port else f"{parts.netloc}:53")
    return text


def is_url(source: str) -> bool:
    """Whether a list's source is a URL, and no file."""
    return "://" in source


def shown_url(url: str) -> str:
    """A URL for people: without what may be a password or a token."""
    return re.sub(r"\?.*", "?***", re.sub(r"://[^/?#]*@", "://***@", url), flags=re.DOTALL)


def check_url(text: str) -> str:
    """A URL that a list may be had from, or nothing. ValueError."""
    if not text:
        return text
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.fragment or any(char <= " " or char == "\x7f" for char in text):
        raise ValueError("is neither a file nor http(s)://HOST[:PORT]/PATH")
    return text


def _source(text: str) -> str:
    return check_url(text) if is_url(text) else text


def plain_network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """The network of a text; IPv4 in IPv6 clothes (::ffff:192.0.2.0/120) is IPv4. ValueError."""
    network = ipaddress.ip_network(text, strict=False)
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None or network.prefixlen < 96:
        return network
    return ipaddress.ip_network(f"{mapped}/{network.prefixlen - 96}")


def _network(text: str) -> str:
    network = plain_network(text)
    try:
        ipaddress.ip_network(text)
    except ValueError:
        address = text.partition("/")[0]
        raise ValueError(
            f"{text!r} may mean two things: {address} is that address alone, {network} the whole network"
        ) from None
    return str(network)


def _address(text: str) -> str:
    return str(ipaddress.ip_address(text))


# `/` is for delegations of a part of a reverse zone (RFC 2317).
_DOMAIN = re.compile(r"(?:[a-z0-9_/-]{1,63}\.)*[a-z0-9_/-]{1,63}", re.ASCII)


def _domain(text: str) -> str:
    name = text.lower().removesuffix(".")
    if not name.isascii():
        import idna  # slow to load, and most names are ASCII

        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError) as problem:
            raise ValueError(f"{text!r} is no domain name ({problem})") from problem
    if len(name) > 253 or not _DOMAIN.fullmatch(name) or name.rpartition(".")[2].isdigit():
        raise ValueError(
            f"{text!r} is no domain name such as corp.example.org or 168.192.in-addr.arpa"
        )
    return name


Endpoint = Annotated[str, AfterValidator(_endpoint)]
MaybeEndpoint = Annotated[str, AfterValidator(lambda text: text and _endpoint(text))]
MaybeLoopback = Annotated[str, AfterValidator(lambda text: text and _loopback(text))]
UpstreamUrl = Annotated[str, AfterValidator(_upstream)]
Network = Annotated[str, AfterValidator(_network)]
Address = Annotated[str, AfterValidator(_address)]
Domain = Annotated[str, AfterValidator(_domain)]
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]


GUARD_LIST = "guard"  # the hub's own list has this name


def check_block(mode: BlockMode | None, addresses: Sequence[str]) -> None:
    """ValueError for a way of blocking that nobody may choose: tcp-only and data are what a zone's line says."""
    if mode in ("tcp-only", "data"):
        raise ValueError("mode must be null, nxdomain, nodata, refused, ip or drop")
    if mode == "ip" and not addresses:
        raise ValueError("mode ip needs addresses")


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Dns(Section):
    """The listeners clients ask at."""

    listen: tuple[Endpoint, ...] = ("127.0.0.1:1053", "[::1]:1053")
    """Addresses and ports, UDP and TCP."""
    workers: int = Field(1, ge=1, le=64)
    """Resolver processes; each takes a share of the packets."""
    allow: tuple[Network, ...] = PRIVATE_NETWORKS
    """Networks that may ask; others are refused with EDE 18."""
    udp_payload: int = Field(1232, ge=512, le=4096)
    """Largest UDP answer and the size advertised upstream, bytes."""
    tcp_idle: float = Field(10.0, gt=0, le=120)
    """Seconds without a query after which a TCP connection is closed."""
    tcp_per_client: int = Field(20, ge=1)
    """TCP connections of one address at a time."""
    tcp_connections: int = Field(500, ge=1)
    """TCP connections in all."""
    in_flight: int = Field(10_000, ge=1)
    """Queries answered at a time; by UDP 2,048 more wait, clients in turn. What is beyond is dropped and counted."""

    @model_validator(mode="after")
    def _has_a_listener(self) -> "Dns":
        if not self.listen:
            raise ValueError("listen needs at least one address")
        return self


class Upstream(Section):
    """Who is asked when we do not know."""

    servers: tuple[UpstreamUrl, ...] = ()
    """udp://ADDRESS[:PORT] or tcp://ADDRESS[:PORT]; empty = the system's resolvers."""
    timeout: float = Field(2.0, gt=0, le=30)
    """Seconds one server may take before the next is asked."""
    total: float = Field(5.0, gt=0, le=60)
    """Seconds after which a query has failed."""
    trust_ad: tuple[Network, ...] = ("127.0.0.0/8", "::1/128")
    """Networks of servers whose AD bit (the data is authentic) is passed on; others may have made up what they say."""
    mixed_case: bool = True
    """Letters of a question in random case (0x20): forgers must guess them too. Off by itself where a server cannot."""
    cookies: bool = True
    """DNS cookies (RFC 7873): a forger must know them too. Off by itself where a server cannot."""


class Cache(Section):
    """Answers kept."""

    size: int = Field(64 * 1024 * 1024, ge=0)
    """Bytes, all entries with their overhead; 0 = no cache."""
    max_ttl: int = Field(86_400, ge=1)
    """Seconds an answer is kept at most."""
    negative_ttl: int = Field(900, ge=1)
    """Seconds NXDOMAIN and NODATA are kept at most (RFC 2308)."""
    stale: int = Field(86_400, ge=0)
    """Seconds an expired answer may still serve when no upstream answers (RFC 8767); 0 = never."""


class Limit(Section):
    """How fast one client prefix (/24, /56) may ask: over UDP, and as much over TCP, counted apart."""

    rate: float = Field(1000.0, ge=0)
    """Queries a second; 0 = no limit."""
    burst: float = Field(2000.0, ge=1)
    """Queries above the rate that are taken at once."""
    slip: int = Field(2, ge=0)
    """Every n-th query above the limit gets a truncated answer instead of silence; 0 = never."""
    exempt: tuple[Network, ...] = ("127.0.0.0/8", "::1/128")
    """Networks that are not limited."""


class Local(Section):
    """What is answered here and never asked upstream."""

    records: tuple[str, ...] = ()
    """Own records in master-file form, such as `nas.lan. 300 A 192.168.1.5`."""
    search: tuple[str, ...] = ()
    """Search suffixes of this network: a popular name below one of them is search-suffix junk, NXDOMAIN."""
    resolve: tuple[Domain, ...] = ()
    """Special-use names that are asked upstream as any other, with all below, such as `use-application-dns.net`."""


class Rebinding(Section):
    """Private addresses in answers for public names: by these a stranger's web page reaches devices of this network."""

    mode: Literal["off", "flag", "block"] = "flag"
    """off | flag (answered, and recorded with reason `rebinding`) | block (NODATA with EDE 15)."""
    allow: tuple[Domain, ...] = ()
    """Public names that may have private addresses, with all below, such as `plex.direct` or a DNS blocklist."""


class Block(Section):
    """How blocked names are answered when a group says nothing else."""

    mode: BlockMode = "null"
    """null = 0.0.0.0 and ::, nxdomain, nodata, refused, ip = the addresses below, drop."""
    ttl: int = Field(10, ge=0, le=86_400)
    """Seconds a client may keep a blocked answer."""
    addresses: tuple[Address, ...] = ()
    """IPv4 and IPv6 for mode ip."""
    redirect: tuple[Address, ...] = ()
    """Honeypot or blackhole addresses for names the model finds malicious; empty = they are blocked."""

    @model_validator(mode="after")
    def _mode_fits(self) -> "Block":
        check_block(self.mode, self.addresses)
        return self


class Model(Section):
    """The name classifier."""

    mode: ModelMode = "enforce"
    """off | shadow (judge and record, never block) | enforce."""
    path: Path | None = None
    """Folder of a model (model.onnx with manifest.json); unset = the packaged one."""
    deadline: float = Field(0.05, gt=0, le=5)
    """Seconds a query waits for its score; then it is answered unscored (fails open, counted)."""
    queue: int = Field(4096, ge=1)
    """Names that wait for the model at most; fewer where it is slow. Beyond it they pass unscored, counted."""
    guard: bool = True
    """Popular and warning-list names are never blocked by the model."""


class VerdictApi(Section):
    """Verdicts for other servers: HTTP, served by the resolver."""

    listen: MaybeEndpoint = "127.0.0.1:8052"
    """TCP address, bearer token needed; empty = the Unix socket only."""
    original: MaybeLoopback = ""
    """Where the original CoreDNS plugin (mlbridge) asks in its own form, such as 127.0.0.1:5000; empty = nowhere.
    A loopback address, for it has no token. What it asks about is recorded here."""


class Hub(Section):
    """API, store and control data."""

    listen: Endpoint = "127.0.0.1:8050"
    """Address and port of API and status page."""
    session: int = Field(12 * 3600, ge=60)
    """Seconds a login lasts."""
    attempts: int = Field(5, ge=1)
    """Failed logins of one address or user in 15 minutes before it must wait."""


class Events(Section):
    """The event log."""

    retention: int = Field(91, ge=1)
    """Days kept."""
    size: int = Field(10 * 1024**3, ge=0)
    """Bytes of all days together: the oldest go first; 0 = no bound."""
    reserve: int = Field(256 * 1024**2, ge=0)
    """Bytes of the disk that events leave free for all else; a fiftieth of the disk where that is less."""
    queue: int = Field(300_000, ge=1000)
    """Events a resolver holds while the hub is away; beyond it they are dropped and counted."""
    enabled: bool = True
    """Whether queries are recorded."""


ListFormat = Literal[
    "auto", "hosts", "domains", "adblock", "wildcard",
    "dnsmasq", "unbound", "bind", "rpz", "regex",
]  # fmt: skip


class PolicyList(Section):
    """A subscribed list. The first list that says something about a name wins."""

    name: Word
    """What it is called in reasons, groups and the API."""
    source: Annotated[str, AfterValidator(_source)] = Field(min_length=1)
    """A file (a relative path begins in the folder where the hub runs), or an http:// or https:// URL."""
    kind: Literal["deny", "allow"] = "deny"
    """deny | allow."""
    format: ListFormat = "auto"
    """auto recognises each line; the others read every line as that format."""
    broad: bool = False
    """Take lines too that reach more than one in a hundred of the 10,000 most popular names, such as `||com^`."""
    allow_private: bool = False
    """Its URL may lead to this machine, or to a server of one's own network."""
    keep: int = Field(0, ge=0, le=3650)
    """Days that a line holds after the source has dropped it; wants format hosts, domains or wildcard."""

    @model_validator(mode="after")
    def _keeps_plain_lines(self) -> "PolicyList":
        if self.keep and self.format not in ("hosts", "domains", "wildcard"):
            raise ValueError("keep: format must be hosts, domains or wildcard")
        return self

    @field_serializer("source")
    def _without_secrets(self, source: str) -> str:
        return shown_url(source) if is_url(source) else source


class Subscriptions(Section):
    """Lists by URL: when and how they are downloaded. The last good copy of each is kept below data_dir."""

    start: Literal["blocking", "fast"] = "blocking"
    """blocking: the first policy waits for lists of which there is no copy yet. fast: it is made of what is there."""
    wait: float = Field(30.0, gt=0, le=90)
    """Seconds that it waits for them at most."""
    refresh: int = Field(86_400, ge=60)
    """Seconds between downloads, give or take a tenth; after a failure it is tried again sooner."""
    timeout: float = Field(300.0, gt=0, le=3600)
    """Seconds that one download may take."""
    size: int = Field(128 * 1024 * 1024, ge=1024, le=128 * 1024 * 1024)
    """Bytes of one list, as sent and as unpacked."""


class Group(Section):
    """Clients with lists and modes of their own."""

    name: Word
    """`default` is the group of all other clients."""
    clients: tuple[Network, ...] = ()
    """Their networks; the longest prefix decides."""
    lists: tuple[Word, ...] | None = None
    """Names of lists; unset = all."""
    mode: ModelMode | None = None
    """As model.mode."""
    block: BlockMode | None = None
    """As block.mode."""
    ttl: int | None = Field(None, ge=0, le=86_400)
    """As block.ttl."""
    addresses: tuple[Address, ...] | None = None
    """As block.addresses."""
    redirect: tuple[Address, ...] | None = None
    """As block.redirect."""
    services: tuple[Word, ...] = ()
    """Services that are blocked, such as `youtube` and `tiktok`: `namewarden services` names all (docs/services.md)."""
    safe_search: tuple[Word, ...] = ()
    """Engines that are asked for safe results alone, such as `google`, `bing`, `youtube` or `youtube-moderate`."""


class Zone(Section):
    """Names that are asked of servers of their own: a router's, a company's, a cluster's."""

    names: tuple[Domain, ...] = Field(min_length=1)
    """Each with all below it; the longest of all zones wins."""
    servers: tuple[UpstreamUrl, ...] = Field(min_length=1)
    """As upstream.servers. Where none of them answers the query fails: nobody else is asked."""
    groups: tuple[Word, ...] = ()
    """Groups of this file whose clients are served so; empty = all."""

    @model_validator(mode="after")
    def _is_no_machine(self) -> "Zone":
        if any(name.rpartition(".")[2] == "localhost" for name in self.names):
            raise ValueError("names: localhost is this machine, whoever asks (RFC 6761)")
        return self


class Settings(Section):
    """Everything that can be set."""

    schema_version: Literal[1] = 1
    """Of this file; older ones are migrated, newer ones refused."""
    data_dir: Path = Path("var")
    """All state: store, control data, models, snapshots, sockets. Nothing is written elsewhere.
    A relative path begins in the folder where the command runs."""
    dns: Dns = Dns()
    upstream: Upstream = Upstream()
    cache: Cache = Cache()
    limit: Limit = Limit()
    local: Local = Local()
    rebinding: Rebinding = Rebinding()
    block: Block = Block()
    model: Model = Model()
    verdict: VerdictApi = VerdictApi()
    hub: Hub = Hub()
    events: Events = Events()
    subscriptions: Subscriptions = Subscriptions()
    lists: tuple[PolicyList, ...] = ()
    groups: tuple[Group, ...] = ()
    zones: tuple[Zone, ...] = ()

    @model_validator(mode="after")
    def _names_fit(self) -> "Settings":
        known = [entry.name for entry in self.lists]
        groups = [*enumerate(self.groups)]
        problems = [
            *_twice("lists.{}.name: list", enumerate(known)),
            *_twice("groups.{}.name: group", ((n, group.name) for n, group in groups)),
            *_twice("groups.{}.clients: network", ((n, c) for n, g in groups for c in g.clients)),
            *(
                f"lists.{n}.name: list {GUARD_LIST!r} is our own: give yours another name"
                for n, name in enumerate(known)
                if name == GUARD_LIST
            ),
        ]
        for place, group in groups:
            problems += _of_group(f"groups.{place}", group, known, self.block.addresses)
        problems += _of_zones(self.zones, ["default", *(group.name for group in self.groups)])
        if problems:
            raise ValueError("\n".join(problems))  # a line each, with its key
        return self


def _of_group(key: str, group: Group, lists: list[str], addresses: Sequence[str]) -> Iterator[str]:
    """Its way of blocking is one, its lists are there."""
    try:
        check_block(group.block, group.addresses or addresses)
    except ValueError as problem:
        yield f"{key}.block: group {group.name!r}: {problem}"
    for name in group.lists or ():
        if name not in lists:
            there = ", ".join(lists) or "none"
            yield f"{key}.lists: group {group.name!r} names the list {name!r}, which is not there (lists: {there})"


def _of_zones(zones: Sequence[Zone], groups: list[str]) -> Iterator[str]:
    """A group has one zone of a name, and is there."""
    known = ", ".join(dict.fromkeys(groups))
    seen: set[tuple[str, str]] = set()
    served = (
        (place, name, group)
        for place, zone in enumerate(zones)
        for name in zone.names
        for group in zone.groups or ("",)
    )
    for place, name, group in served:
        if group and group not in groups:
            yield (
                f"zones.{place}.groups: zone {name!r} names the group {group!r}, "
                f"which is not there (groups: {known})"
            )
        if (name, group) in seen:
            whose = f" for the group {group!r}" if group else ""
            yield f"zones.{place}.names: zone {name!r} is there twice{whose}"
        seen.add((name, group))


def _twice(said: str, named: Iterable[tuple[int, str]]) -> Iterator[str]:
    """`said` is the key, with the place, and the kind."""
    seen: set[str] = set()
    for place, name in named:
        if name in seen:
            yield f"{said.format(place)} {name!r} is there twice"
        seen.add(name)
