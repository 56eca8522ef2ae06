"""Real DNS servers on loopback for tests: NSD as the world, Unbound as a resolver in front of it.

Each runs in the foreground in a folder of its own, on a port the kernel chose, and ends with its `with`.
A machine without the package skips with a line. `tests/conftest.py` has the fixtures `world` and `resolver`.
"""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import dns.exception
import dns.message
import dns.query
import pytest

from tests import go

READY_WITHIN = 20.0  # seconds, generous for a busy machine

# Every name there is, so that anything can be asked and forwarded: the root has a wildcard.
ROOT_ZONE = """
$ORIGIN .
$TTL 300
@ IN SOA ns.world. hostmaster.world. 1 3600 600 86400 60
@ IN NS ns.world.
ns.world. IN A 127.0.0.1
* IN A 192.0.2.1
example.org. IN NS ns.world.
"""

# What a resolver meets. `long` never fits a datagram of 1232 bytes; `hidden` has no A.
EXAMPLE_ORG_ZONE = """
$ORIGIN example.org.
$TTL 300
@ IN SOA ns.example.org. hostmaster.example.org. 1 3600 600 86400 60
@ IN NS ns
@ IN A 192.0.2.10
@ IN MX 10 mail
ns IN A 127.0.0.1
mail IN A 192.0.2.11
www IN A 192.0.2.20
www IN AAAA 2001:db8::20
www IN HTTPS 1 . alpn=h2
inside IN A 192.168.1.77
hinted IN HTTPS 1 . ipv6hint=fd00::77
vpn IN A 10.8.0.1
service IN HTTPS 0 svc.zone.example.net.
services IN HTTPS 1 . alpn=h2
services IN HTTPS 2 svc.zone.example.net. port=8443
chain CNAME chain2
chain2 CNAME chain3
chain3 CNAME www
away CNAME target.example.net.
dangling CNAME gone
loose CNAME hidden
hidden IN TXT "no address here"
brief 1 IN A 192.0.2.30
zero 0 IN A 192.0.2.31
eternal 4000000 IN A 192.0.2.32
*.wild IN A 192.0.2.40
_sip._udp IN SRV 0 0 5060 www
10 IN PTR www
""" + "\n".join(f'long IN TXT "{number:02d} {"x" * 200}"' for number in range(20))

WORLD: Mapping[str, str] = {".": ROOT_ZONE, "example.org.": EXAMPLE_ORG_ZONE}


class Server(NamedTuple):
    """A running server: where it listens and its process."""

    host: str
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"udp://{self.host}:{self.port}"

    @property
    def tcp_url(self) -> str:
        return f"tcp://{self.host}:{self.port}"


def need(program: str, package: str) -> str:
    """The program's path, or a skip that names the Debian package."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"needs {program}: apt-get install {package}")
    return found


def free_port(host: str = "127.0.0.1") -> int:
    """A port that is free for UDP and TCP, chosen by the kernel."""
    for _ in range(50):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
            tcp.bind((host, 0))
            port: int = tcp.getsockname()[1]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, suppress(OSError):
                udp.bind((host, port))
                return port
    raise RuntimeError("no port is free for both UDP and TCP")


@contextmanager
def nsd(
    folder: Path,
    zones: Mapping[str, str] = WORLD,
    port: int = 0,
    options: str = "tcp-query-count: 0",
) -> Iterator[Server]:
    """NSD, authoritative for these zones (origin → master file); `options` go into its server clause."""
    program = need("nsd", "nsd")
    folder.mkdir(parents=True, exist_ok=True)
    number = port or free_port()
    config = f"""
server:
    ip-address: 127.0.0.1@{number}
    zonesdir: "{folder}"
    pidfile: "{folder}/nsd.pid"
    xfrdfile: "{folder}/xfrd.state"
    xfrdir: "{folder}"
    zonelistfile: "{folder}/zone.list"
    database: ""
    username: ""
    server-count: 1
    minimal-responses: yes
    {options}
    rrl-ratelimit: 0
remote-control:
    control-enable: no
"""
    for index, (origin, text) in enumerate(zones.items()):
        (folder / f"zone{index}").write_text(text + "\n")
        config += f'zone:\n    name: "{origin}"\n    zonefile: "{folder}/zone{index}"\n'
    (folder / "nsd.conf").write_text(config)
    with _running([program, "-d", "-c", str(folder / "nsd.conf")], folder, number) as server:
        yield server


@contextmanager
def unbound(folder: Path, upstream: Server, extra: str = "", port: int = 0) -> Iterator[Server]:
    """Unbound, resolving through `upstream`; `extra` goes into its server clause."""
    program = need("unbound", "unbound")
    folder.mkdir(parents=True, exist_ok=True)
    number = port or free_port()
    (folder / "unbound.conf").write_text(
        f"""
server:
    interface: 127.0.0.1@{number}
    directory: "{folder}"
    pidfile: "{folder}/unbound.pid"
    chroot: ""
    username: ""
    use-syslog: no
    logfile: ""
    module-config: "iterator"
    do-not-query-localhost: no
    num-threads: 1
    local-zone: "test." nodefault
    {extra}
remote-control:
    control-enable: no
forward-zone:
    name: "."
    forward-addr: {upstream.host}@{upstream.port}
"""
    )
    with _running([program, "-d", "-c", str(folder / "unbound.conf")], folder, number) as server:
        yield server


@contextmanager
def named(
    folder: Path, upstream: Server, zones: Mapping[str, str], options: str = ""
) -> Iterator[Server]:
    """BIND, resolving through `upstream`, with these response policy zones in their order."""
    program = need("named", "bind9")
    folder.mkdir(parents=True, exist_ok=True)
    number = free_port()
    policy = " ".join(f'zone "{origin}";' for origin in zones)
    config = f"""
options {{
    directory "{folder}"; pid-file "{folder}/pid"; session-keyfile "{folder}/key";
    listen-on port {number} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
    recursion yes; allow-query {{ any; }}; allow-recursion {{ any; }}; dnssec-validation no; empty-zones-enable no;
    forward only; forwarders {{ {upstream.host} port {upstream.port}; }};
    {options}
    {f"response-policy {{ {policy} }} break-dnssec yes;" if zones else ""}
}};
controls {{ }};
"""
    for index, (origin, text) in enumerate(zones.items()):
        (folder / f"zone{index}").write_text(text)
        config += f'zone "{origin}" {{ type primary; file "{folder}/zone{index}"; check-names ignore; }};\n'
    (folder / "named.conf").write_text(config)
    command = [program, "-g", "-n", "1", "-c", str(folder / "named.conf")]
    with _running(command, folder, number) as server:
        _wait_for_policy(folder / "log", len(zones))
        yield server


def _wait_for_policy(log: Path, zones: int) -> None:
    """BIND answers before its policy zones are in force."""
    until = time.monotonic() + READY_WITHIN
    while log.read_text(errors="replace").count("reload done: success") < zones:
        if time.monotonic() > until:
            raise RuntimeError(f"no policy in force:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)


@contextmanager
def router(folder: Path, records: Mapping[str, str], port: int = 0) -> Iterator[Server]:
    """dnsmasq as a home router's: it knows these hosts (name → address) and their addresses' names, and asks nobody."""
    program = need("dnsmasq", "dnsmasq")
    folder.mkdir(parents=True, exist_ok=True)
    number = port or free_port()
    known = [f"--host-record={name},{address}" for name, address in records.items()]
    command = (
        f"{program} -k -C /dev/null -p {number} -a 127.0.0.1 --bind-interfaces -R -h --local=/#/ -u root "
        f"--pid-file={folder}/pid --log-facility=-"
    ).split()
    with _running([*command, *known], folder, number) as server:
        yield server


@contextmanager
def coredns(folder: Path, block: str) -> Iterator[Server]:
    """CoreDNS with our plugin; `block` is what its Corefile says for all names."""
    program = go.built("coredns")
    folder.mkdir(parents=True, exist_ok=True)
    number = free_port()
    (folder / "Corefile").write_text(f".:{number} {{\n    bind 127.0.0.1\n{block}\n}}\n")
    with _running([str(program), "-conf", str(folder / "Corefile")], folder, number) as server:
        yield server


FRONTS = ("dnsmasq", "dnsdist", "unbound", "named", "pdns_recursor")


@contextmanager
def front(program: str, folder: Path, behind: Server) -> Iterator[Server]:
    """A resolver with a cache, as it comes, in front of another: one of FRONTS."""
    folder.mkdir(parents=True, exist_ok=True)
    if program == "unbound":
        with unbound(folder, behind) as server:
            yield server
    elif program == "named":
        with named(folder, behind, {}) as server:
            yield server
    else:
        number = free_port()
        with TemporaryDirectory(prefix="front") as short:  # the path of a socket in it is bounded
            command = _FRONTS[program](Path(short), behind, number)
            path = need(program, _PACKAGES[program])
            with _running([path, *command], folder, number) as server:
                yield server


def _dnsmasq(folder: Path, behind: Server, port: int) -> list[str]:
    return (
        f"-k -C /dev/null -p {port} -a 127.0.0.1 --bind-interfaces -R -h -S {behind.host}#{behind.port} -u root "
        f"--pid-file={folder}/pid --log-facility=-"
    ).split()


@contextmanager
def dnsmasq(folder: Path, behind: Server, lines: str) -> Iterator[Server]:
    """dnsmasq in front of another, with these lines of configuration; Pi-hole has one inside."""
    folder.mkdir(parents=True, exist_ok=True)
    number = free_port()
    command = _dnsmasq(folder, behind, number)
    (folder / "lines").write_text(lines)
    command[command.index("-C") + 1] = str(folder / "lines")
    with _running([need("dnsmasq", "dnsmasq"), *command], folder, number) as server:
        yield server


def _dnsdist(folder: Path, behind: Server, port: int) -> list[str]:
    (folder / "config").write_text(
        f'setLocal("127.0.0.1:{port}") newServer{{address="{behind.host}:{behind.port}"}} '
        'getPool(""):setCache(newPacketCache(1000)) setSecurityPollSuffix("")\n'
    )
    return ["--supervised", "-C", str(folder / "config")]


@contextmanager
def boasting(folder: Path, behind: Server) -> Iterator[Server]:
    """dnsdist that makes addresses up (A 192.0.2.66) and says with AD that they are authentic."""
    folder.mkdir(parents=True, exist_ok=True)
    number = free_port()
    command = _dnsdist(folder, behind, number)
    with (folder / "config").open("a") as config:
        config.write('addAction(AllRule(), SpoofAction({"192.0.2.66"}, {ad=true}))\n')
    with _running([need("dnsdist", "dnsdist"), *command], folder, number) as server:
        yield server


def _pdns_recursor(folder: Path, behind: Server, port: int) -> list[str]:
    (folder / "recursor.conf").write_text(
        f"local-address=127.0.0.1\nlocal-port={port}\nsocket-dir={folder}\ndnssec=off\ndaemon=no\nthreads=1\n"
        f"forward-zones-recurse=.={behind.host}:{behind.port}\ndont-query=\nallow-from=127.0.0.0/8\nhint-file=no\n"
    )
    return [f"--config-dir={folder}", "--setuid=", "--setgid="]


_FRONTS: Mapping[str, Callable[[Path, Server, int], list[str]]] = {
    "dnsmasq": _dnsmasq,
    "dnsdist": _dnsdist,
    "pdns_recursor": _pdns_recursor,
}
_PACKAGES = {"dnsmasq": "dnsmasq", "dnsdist": "dnsdist", "pdns_recursor": "pdns-recursor"}


@contextmanager
def _running(command: list[str], folder: Path, port: int) -> Iterator[Server]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_until_ready(process, port, folder / "log")
        yield Server("127.0.0.1", port, process)
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server that a test started."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    probe = dns.message.make_query(".", "SOA")
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        with suppress(dns.exception.DNSException, OSError):
            dns.query.udp(probe, "127.0.0.1", port=port, timeout=0.25)
            return
    raise RuntimeError(
        f"{process.args!r} did not start:\n{log.read_text(errors='replace')[-2000:]}"
    )
