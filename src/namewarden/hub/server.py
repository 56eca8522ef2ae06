"""The hub on its sockets: TCP for people, the Unix socket for sources and the command line, in one loop.

Sockets come bound (the supervisor keeps them); signals are the caller's. Requests of the Unix socket are marked
in the ASGI scope, where nothing that is sent can reach.
"""

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Sequence

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from namewarden.hub.gate import LOCAL, App, Receive, Scope, Send

PATIENCE = 20.0  # seconds a request may take to arrive
GRACE = 3  # seconds for requests under way when it stops


class Local:
    """The same application for who may open the socket's file."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app({**scope, LOCAL: True}, receive, send)


class Impatient(H11Protocol):
    """Hangs up on who does not come to the end of a request: silent strangers would take all places."""

    patience = PATIENCE
    _timer: asyncio.TimerHandle
    _last: object = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._timer = self.loop.call_later(self.patience, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        """Since the last look a request must have come to its end. Waiting for our answer is no fault."""
        cycle = self.cycle
        is_answering = cycle is not None and not (cycle.more_body or cycle.response_complete)
        if cycle is self._last and not is_answering:
            self.transport.close()
            return
        self._last = cycle
        self._timer = self.loop.call_later(self.patience, self._look)


class _Quiet(uvicorn.Server):
    """Leaves signals to the process it is part of."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Server:
    """`run()` until `stop()`."""

    def __init__(
        self,
        app: App,
        tcp: Sequence[socket.socket],
        unix: socket.socket | None,
        patience: float = PATIENCE,
    ) -> None:
        parts: list[tuple[App, list[socket.socket]]] = [(app, list(tcp))]
        if unix is not None:
            parts.append((Local(app), [unix]))
        self._servers = [
            (_Quiet(_config(part, patience)), sockets) for part, sockets in parts if sockets
        ]

    @property
    def started(self) -> bool:
        return all(server.started for server, _ in self._servers)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for server, sockets in self._servers:
                group.create_task(server.serve(sockets))

    def stop(self) -> None:
        for server, _ in self._servers:
            server.should_exit = True


def _config(app: App, patience: float) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=type("Impatient", (Impatient,), {"patience": patience}),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nobody says in a header where they come from
        timeout_keep_alive=30,
        timeout_graceful_shutdown=GRACE,
        limit_concurrency=512,
        h11_max_incomplete_event_size=64 * 1024,
    )
