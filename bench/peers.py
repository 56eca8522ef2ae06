"""The servers that are measured beside us, each with a private configuration, and the world they ask.

A blocked name is the same million names everywhere; how it is answered is each server's own way.
"""

from functools import partial
from pathlib import Path

from bench import golang, packaged
from bench.processes import BUFFER, HOST, first_line
from bench.server import RPZ_HEAD, RPZ_LINE, Place, Server, each_name, needs

WORLD_TTL, WORLD_ADDRESS = 86_400, "192.0.2.1"


def world_command(folder: Path, port: int) -> list[str]:
    """NSD with a root zone in which every name has one address."""
    (folder / "root.zone").write_text(
        f"$TTL {WORLD_TTL}\n. IN SOA a.root. b.root. 1 7200 3600 86400 300\n. IN NS a.root.\n"
        f"a.root. A {HOST}\n* A {WORLD_ADDRESS}\n"
    )
    (folder / "nsd.conf").write_text(f"""
server:
  ip-address: {HOST}
  port: {port}
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  pidfile: "{folder}/nsd.pid"
  xfrdfile: ""
  zonelistfile: "{folder}/zone.list"
  database: ""
  server-count: 1
  minimal-responses: yes
  rrl-ratelimit: 0
  receive-buffer-size: {BUFFER}
  send-buffer-size: {BUFFER}
remote-control:
  control-enable: no
zone:
  name: "."
  zonefile: "root.zone"
""")
    return ["nsd", "-d", "-c", str(folder / "nsd.conf")]


UNBOUND = """
server:
  interface: {host}
  port: {port}
  num-threads: 1
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: ""
  logfile: ""
  use-syslog: no
  verbosity: 0
  access-control: 127.0.0.0/8 allow
  do-ip6: no
  module-config: "{modules}"
  do-not-query-localhost: no
  qname-minimisation: no
  minimal-responses: yes
  msg-cache-size: 64m
  rrset-cache-size: 128m
  so-rcvbuf: 4m
  so-sndbuf: 4m
remote-control:
  control-enable: no
stub-zone:
  name: "."
  stub-addr: {host}@{world}
  stub-prime: no
{policy}"""


def _unbound(place: Place, modules: str, policy: str) -> list[str]:
    text = UNBOUND.format(
        host=HOST,
        port=place.port,
        folder=place.folder,
        modules=modules,
        world=place.world,
        policy=policy,
    )
    (place.folder / "unbound.conf").write_text(text)
    return ["unbound", "-d", "-c", str(place.folder / "unbound.conf")]


def unbound_rpz(place: Place) -> list[str]:
    zone = place.folder / "list.rpz"
    each_name(place.names, zone, RPZ_LINE, RPZ_HEAD)
    return _unbound(place, "respip iterator", f'rpz:\n  name: "rpz."\n  zonefile: "{zone}"\n')


def unbound_local(place: Place) -> list[str]:
    zones = place.folder / "list.conf"
    each_name(place.names, zones, 'local-zone: "{}" always_nxdomain\n', "server:\n")
    return _unbound(place, "iterator", f'include: "{zones}"\n')


def coredns(place: Place) -> list[str]:
    hosts = place.folder / "hosts"
    each_name(place.names, hosts, "0.0.0.0 {}\n")
    (place.folder / "Corefile").write_text(
        f".:{place.port} {{\n  bind {HOST}\n  cache 86400 {{\n    success 50000\n  }}\n"
        f"  hosts {hosts} {{\n    reload 0\n    fallthrough\n  }}\n  forward . {HOST}:{place.world}\n}}\n"
    )
    return [str(golang.binary("coredns")), "-conf", str(place.folder / "Corefile"), "-quiet"]


def dnsproxy(place: Place) -> list[str]:
    hosts = place.folder / "hosts"
    each_name(place.names, hosts, "0.0.0.0 {}\n")
    return [
        *(str(golang.binary("dnsproxy")), f"--listen={HOST}", f"--port={place.port}"),
        *(f"--upstream={HOST}:{place.world}", "--cache", "--cache-size=67108864", "--ratelimit=0"),
        *(f"--udp-buf-size={BUFFER}", "--hosts-file-enabled", f"--hosts-files={hosts}"),
        f"--output={place.folder / 'dnsproxy.out'}",
    ]


def _unbound_version() -> str:
    return first_line("unbound", "-V").replace("Version", "Unbound")


PEERS = (
    Server("unbound-rpz", "NXDOMAIN", unbound_rpz, _unbound_version, needs("unbound")),
    Server("unbound-local", "NXDOMAIN", unbound_local, _unbound_version, needs("unbound")),
    Server(
        "coredns-hosts",
        "NOERROR",
        coredns,
        golang.title("coredns"),
        partial(golang.build, "coredns"),
    ),
    Server(
        "dnsproxy-hosts",
        "NOERROR",
        dnsproxy,
        golang.title("dnsproxy"),
        partial(golang.build, "dnsproxy"),
    ),
    *packaged.SERVERS,
)
