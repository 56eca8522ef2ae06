"""Three servers that Debian packages, each with a list of its own kind: a policy zone, a key-value file, directives."""

import subprocess

from bench.processes import BUFFER, HOST, first_line, output_of
from bench.server import RPZ_HEAD, RPZ_LINE, Place, Server, each_name, needs

CACHE = 500_000  # names, as many as the others have room for

RECURSOR = """
local-address={host}
local-port={port}
socket-dir={folder}
lua-config-file={folder}/policy.lua
forward-zones=.={host}:{world}
allow-from=127.0.0.0/8
dont-query=
daemon=no
disable-syslog=yes
loglevel=3
quiet=yes
threads=1
pdns-distributes-queries=no
dnssec=off
qname-minimization=no
security-poll-suffix=
write-pid=no
"""
DNSDIST = """
setLocal("{host}:{port}")
setACL("127.0.0.0/8")
setSecurityPollSuffix("")
setUDPSocketBufferSizes({buffer}, {buffer})
setMaxUDPOutstanding(65535)
newServer({{address="{host}:{world}"}})
getPool(""):setCache(newPacketCache({cache}, {{maxTTL=86400}}))
listed = newCDBKVStore("{folder}/names.cdb", 0)
addAction(KeyValueStoreLookupRule(listed, KeyValueLookupKeySuffix(0, false)), RCodeAction(DNSRCode.NXDOMAIN))
"""
DNSMASQ = """
port={port}
listen-address={host}
bind-interfaces
no-resolv
no-hosts
server={host}#{world}
cache-size={cache}
dns-forward-max=10000
user=root
pid-file=
log-facility=-
"""


def pdns_recursor(place: Place) -> list[str]:
    """Its receive buffer cannot be set: it is 250,000 octets."""
    zone = place.folder / "list.rpz"
    each_name(place.names, zone, RPZ_LINE, RPZ_HEAD)
    (place.folder / "policy.lua").write_text(f'rpzFile("{zone}", {{policyName="list"}})\n')
    (place.folder / "recursor.conf").write_text(_filled(RECURSOR, place))
    return ["pdns_recursor", f"--config-dir={place.folder}"]


def dnsdist(place: Place) -> list[str]:
    pairs = place.folder / "names.txt"
    each_name(place.names, pairs, "{} 1\n")
    subprocess.run(["cdb", "-c", "-m", str(place.folder / "names.cdb"), str(pairs)], check=True)
    config = place.folder / "dnsdist.conf"
    config.write_text(_filled(DNSDIST, place))
    return ["dnsdist", "--supervised", "--disable-syslog", "-C", str(config)]


def dnsmasq(place: Place) -> list[str]:
    """Its receive buffer cannot be set."""
    config = place.folder / "dnsmasq.conf"
    each_name(place.names, config, "local=/{}/\n", _filled(DNSMASQ, place))
    return ["dnsmasq", "--keep-in-foreground", f"--conf-file={config}"]


def _filled(text: str, place: Place) -> str:
    return text.format(
        host=HOST,
        port=place.port,
        folder=place.folder,
        world=place.world,
        buffer=BUFFER,
        cache=CACHE,
    )


def _recursor_version() -> str:
    said = output_of("pdns_recursor", "--version")
    return said.partition("PowerDNS Recursor ")[2].partition(" (")[0]


def _dnsdist_missing() -> str:
    return needs("dnsdist")() or needs("cdb")()


SERVERS = (
    Server(
        "pdns-recursor-rpz",
        "NXDOMAIN",
        pdns_recursor,
        lambda: f"PowerDNS Recursor {_recursor_version()}",
        needs("pdns_recursor"),
    ),
    Server(
        "dnsdist-cdb",
        "NXDOMAIN",
        dnsdist,
        lambda: first_line("dnsdist", "--version").partition(" (")[0],
        _dnsdist_missing,
    ),
    Server(
        "dnsmasq",
        "NXDOMAIN",
        dnsmasq,
        lambda: first_line("dnsmasq", "--version").partition("  ")[0],
        needs("dnsmasq"),
    ),
)
