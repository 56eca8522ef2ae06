"""The whole product on one machine: what `namewarden run` is made of, in which order it starts, how it stops.

The other composition roots are its children: `resolver.py` and `process/hub.py`, both started alone too.
"""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from namewarden.config import Settings
from namewarden.process.paths import StartError, only_one, prepare
from namewarden.process.sockets import Sockets
from namewarden.process.supervise import Child, Supervisor

Notify = Callable[[str], None]


def run(settings: Settings, config: Path | None, notify: Notify) -> None:
    """The product on one machine, until told to end. StartError, BindError."""
    paths = prepare(settings.data_dir)
    with ExitStack() as stack:
        stack.enter_context(only_one(paths))
        sockets = stack.enter_context(Sockets(settings, paths))
        arguments = ["--config", str(config.resolve())] if config else []
        children = [Child("hub", ["hub", *arguments], sockets.of_hub(), gives_way=True)]
        for number in range(settings.dns.workers):
            command = ["resolver", "--worker", str(number), *arguments]
            children.append(
                Child(f"resolver {number}", command, sockets.of_resolver(number), has_spare=True)
            )
        supervisor = Supervisor(children, notify)
        refused = asyncio.run(supervisor.run(lambda: _announce(settings, notify)))
        if refused:
            raise StartError(f"{refused} cannot start, for the reason above")
        notify("ended")


def _announce(settings: Settings, notify: Notify) -> None:
    notify(f"DNS  {', '.join(settings.dns.listen)} (UDP and TCP)")
    notify(f"hub  http://{settings.hub.listen} (status page and API)")
    if settings.verdict.listen:
        notify(f"API  http://{settings.verdict.listen} (verdicts for other listeners)")
    notify("ready; Ctrl-C ends it")
