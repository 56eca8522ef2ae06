"""The hub process: publisher, event log and API, built, started, stopped in reverse.

Where no policy is in force, resolvers wait for the first; so the API is loaded when that is published. On one core both
would take turns.
"""

import asyncio
import socket
from collections.abc import Iterable
from contextlib import ExitStack
from importlib.metadata import version
from typing import TYPE_CHECKING

import uvloop

from namewarden.process.channel import Channel, first_of
from namewarden.process.lifetime import (
    Ended,
    ending,
    give_back_memory,
    log_plainly,
    take_sockets,
    until_told,
)
from namewarden.process.load import no_collection
from namewarden.process.paths import Paths, prepare
from namewarden.process.publishing import Notify, Publishing
from namewarden.settings import Settings

if TYPE_CHECKING:
    from namewarden.process.lookup import HostLookup

HEAD_START = 5.0  # seconds that the API waits for the first policy at most


def serve_hub(settings: Settings, channel: Channel | None, notify: Notify) -> None:
    """The hub until told to end. StartError, BindError."""
    log_plainly()
    paths = prepare(settings.data_dir)
    with ExitStack() as stack:
        sockets = take_sockets(settings, paths, channel, stack, "hub")
        uvloop.run(_hub(settings, paths, sockets, channel, notify))


async def _hub(
    settings: Settings,
    paths: Paths,
    sockets: dict[str, list[socket.socket]],
    channel: Channel | None,
    notify: Notify,
) -> None:
    ended = until_told(channel)
    lookup = _Lookup(settings)
    publishing = Publishing(settings, paths, notify, lookup.addresses, version("namewarden"))
    publishing.start()
    with ending():
        async with asyncio.TaskGroup() as group:
            group.create_task(publishing.run())
            await first_of(
                publishing.publisher.first.wait(), ended.wait(), asyncio.sleep(HEAD_START)
            )
            if not ended.is_set():
                with no_collection():
                    from namewarden.process import api
                group.create_task(give_back_memory())
                services = api.build_services(settings, paths, publishing, notify)
                api.start(services, notify)
                await api.serve(
                    services, sockets, ended, channel.is_ready if channel else lambda: None
                )
                services.ingest.stop()
            raise Ended
    publishing.stop()
    lookup.stop()


class _Lookup:
    """The hub's resolver, loaded and started when the first list has to be downloaded."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._inner: HostLookup | None = None

    async def addresses(self, name: str) -> Iterable[str]:
        if self._inner is None:
            from namewarden.process.lookup import HostLookup

            self._inner = HostLookup(self._settings)
            self._inner.start()
        return await self._inner.addresses(name)

    def stop(self) -> None:
        if self._inner is not None:
            self._inner.stop()
