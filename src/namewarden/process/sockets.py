"""Every socket of the product, bound before any child starts. `supervise.py` hands them to the children."""

import contextlib
import errno
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from namewarden.process.paths import Paths
from namewarden.settings import Settings, split_endpoint

RECEIVE_BUFFER = 4 * 1024 * 1024  # the kernel's default drops 35 of a burst of 200
BACKLOG = 512


class BindError(Exception):
    """An address that cannot be listened on, and what to do."""


def bind(
    endpoint: str, kind: socket.SocketKind, shared: bool = False, key: str = "dns.listen"
) -> socket.socket:
    """A bound socket (TCP: listening), inheritable. `shared`: several of them share the port. BindError.

    `key` is the setting that says the endpoint.
    """
    host, port = split_endpoint(endpoint)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, kind)
    try:
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_STREAM:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if kind == socket.SOCK_DGRAM:
            _enlarge(bound)
        bound.bind((host, port))
        if kind == socket.SOCK_STREAM:
            bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        raise BindError(
            f"cannot listen on {endpoint} ({key}): {error.strerror}{_advice(error, port, key)}"
        ) from error
    bound.set_inheritable(True)
    return bound


def bind_unix(path: Path) -> socket.socket:
    """A listening Unix socket that only this user may use; what an earlier run left is taken away. BindError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other, contextlib.suppress(OSError):
        other.connect(str(path))
        raise BindError(
            f"{path}: another Namewarden listens there; stop it or set another data_dir"
        )
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    before = os.umask(0o177)
    try:
        bound.bind(str(path))
    except OSError as error:
        bound.close()
        raise BindError(
            f"{path}: {error.strerror or error} (a socket's path has at most 107 octets)"
        ) from error
    finally:
        os.umask(before)
    bound.listen(128)
    bound.set_inheritable(True)
    return bound


def _enlarge(bound: socket.socket) -> None:
    """Root may go beyond the system's limit; others get what the system gives."""
    with contextlib.suppress(OSError, AttributeError):
        bound.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_RCVBUFFORCE", 33), RECEIVE_BUFFER)
        return
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)


def _advice(error: OSError, port: int, key: str) -> str:
    if isinstance(error, PermissionError) and port < 1024:
        return f"; ports below 1024 need CAP_NET_BIND_SERVICE, or set another {key}"
    if error.errno == errno.EADDRINUSE:
        return f"; another server is there: stop it, or set another {key}"
    if error.errno == errno.EADDRNOTAVAIL:
        return "; this machine has no such address"
    return ""


Role = Literal["all", "hub", "resolver"]


class Sockets:
    """The sockets of the product, or of one process that is started alone. BindError gives all back."""

    def __init__(self, settings: Settings, paths: Paths, role: Role = "all") -> None:
        self._all: list[socket.socket] = []
        self._hub: dict[str, list[int]] = {}
        self._resolvers: list[dict[str, list[int]]] = []
        self._shared: dict[str, list[int]] = {}
        try:
            if role != "hub":
                self._bind_resolvers(settings, paths)
            if role != "resolver":
                self._bind_hub(settings, paths)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Sockets":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def of_hub(self) -> dict[str, list[int]]:
        return self._hub

    def of_resolver(self, worker: int) -> dict[str, list[int]]:
        """Its own DNS sockets; those of the verdict API are shared, whoever is free accepts."""
        return self._resolvers[worker] | self._shared

    def close(self) -> None:
        for bound in self._all:
            bound.close()

    def _bind_resolvers(self, settings: Settings, paths: Paths) -> None:
        listen, workers = settings.dns.listen, settings.dns.workers
        for _ in range(workers):
            udp = self._take("dns.listen", listen, socket.SOCK_DGRAM, workers > 1)
            tcp = self._take("dns.listen", listen, socket.SOCK_STREAM, workers > 1)
            self._resolvers.append({"udp": udp, "tcp": tcp})
        verdicts = [settings.verdict.listen] if settings.verdict.listen else []
        self._shared["verdict"] = self._take("verdict.listen", verdicts, socket.SOCK_STREAM)
        originals = [settings.verdict.original] if settings.verdict.original else []
        self._shared["verdict_original"] = self._take(
            "verdict.original", originals, socket.SOCK_STREAM
        )
        self._shared["verdict_unix"] = [self._keep(bind_unix(paths.verdict_socket))]

    def _bind_hub(self, settings: Settings, paths: Paths) -> None:
        self._hub["tcp"] = self._take("hub.listen", [settings.hub.listen], socket.SOCK_STREAM)
        self._hub["unix"] = [self._keep(bind_unix(paths.hub_socket))]

    def _take(
        self, key: str, endpoints: Sequence[str], kind: socket.SocketKind, shared: bool = False
    ) -> list[int]:
        return [self._keep(bind(endpoint, kind, shared, key)) for endpoint in endpoints]

    def _keep(self, bound: socket.socket) -> int:
        self._all.append(bound)
        return bound.fileno()
