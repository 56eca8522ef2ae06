"""The whole product on one machine: what `namewarden run` is made of, in which order it starts, how it stops.

The other composition roots are its children: `resolver.py` and `hub_process.py`, both started alone too.
"""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from namewarden.config import Settings
from namewarden.places import StartError, only_one, prepare
from namewarden.sockets import Sockets
from namewarden.supervise import Child, Supervisor

Say = Callable[[str], None]


def run(settings: Settings, config: Path | None, say: Say) -> None:
    """The product on one machine, until told to end. StartError, BindError."""
    places = prepare(settings.data_dir)
    with ExitStack() as stack:
        stack.enter_context(only_one(places))
        sockets = stack.enter_context(Sockets(settings, places))
        arguments = ["--config", str(config.resolve())] if config else []
        children = [Child("hub", ["hub", *arguments], sockets.of_hub(), gives_way=True)]
        for number in range(settings.dns.workers):
            command = ["resolver", "--worker", str(number), *arguments]
            children.append(
                Child(f"resolver {number}", command, sockets.of_resolver(number), has_spare=True)
            )
        supervisor = Supervisor(children, say)
        refused = asyncio.run(supervisor.run(lambda: _announce(settings, say)))
        if refused:
            raise StartError(f"{refused} cannot start, for the reason above")
        say("ended")


def _announce(settings: Settings, say: Say) -> None:
    say(f"DNS  {', '.join(settings.dns.listen)} (UDP and TCP)")
    say(f"hub  http://{settings.hub.listen} (status page and API)")
    if settings.verdict.listen:
        say(f"API  http://{settings.verdict.listen} (verdicts for other doors)")
    say("ready; Ctrl-C ends it")
