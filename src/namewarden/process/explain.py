"""What a resolver would do with one name: its pipeline without listeners, and one query. No logic of its own.

Counterpart: `cli/explain.py`, which shows it.
"""

import asyncio
import time

from namewarden.events.recorder import Recorder
from namewarden.process.lifetime import Ended, ending, log_plainly
from namewarden.process.paths import Paths, StartError, prepare
from namewarden.process.pipeline import SOURCE, Notify, Pipeline
from namewarden.query import Event
from namewarden.settings import Settings
from namewarden.wire.message import query_for

RUN_FIRST = "start `namewarden run` once, or name its configuration with --config"
DEADLINE = 10.0  # seconds for the score: nobody waits for an answer


def explain(settings: Settings, name: str, qtype: int, client: str, notify: Notify) -> Event:
    """The event that the query would leave. StartError, WireError."""
    log_plainly()
    if not Paths(settings.data_dir).snapshots.is_dir():  # looking at nothing makes nothing
        raise StartError(f"no policy in {settings.data_dir.absolute()}: {RUN_FIRST}")
    return asyncio.run(_asked(settings, name, qtype, client, notify))


async def _asked(settings: Settings, name: str, qtype: int, client: str, notify: Notify) -> Event:
    paths = prepare(settings.data_dir)
    query = query_for(name, qtype, client, "udp", time.monotonic())
    recorder = Recorder(SOURCE, 1)
    with ending():
        async with asyncio.TaskGroup() as group:
            pipeline = Pipeline(
                settings, paths, group.create_task, recorder, notify, deadline=DEADLINE
            )
            if not pipeline.watcher.look():
                raise StartError(pipeline.watcher.problem or f"no policy yet: {RUN_FIRST}")
            pipeline.start()
            await pipeline.resolve(query)
            pipeline.stop()
            raise Ended
    return recorder.take(1)[0]
