"""The whole product on one machine: what `namewarden run` is made of, in which order it starts, how it stops.

The other composition roots are its children: `resolver.py` and `process/hub.py`, both started alone too.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from namewarden.process.channel import Channel
from namewarden.process.paths import StartError, only_one, prepare
from namewarden.process.reload import Reloader
from namewarden.process.replace import Reload
from namewarden.process.slot import Child
from namewarden.process.sockets import BindError, Sockets
from namewarden.process.supervise import Supervisor
from namewarden.settings import Settings

Notify = Callable[[str], None]


@dataclass(frozen=True)
class Roots:
    """What the children run, until they are told to end. StartError and BindError refuse."""

    hub: Callable[[Settings, Channel, Notify], None]
    resolver: Callable[[Settings, Channel, int, Notify], None]
    load_hub: Callable[[], None]  # what all of them share
    load_resolver: Callable[[], None]  # what resolvers share
    problems: Callable[[Settings], Sequence[str]]  # of a configuration that is right in itself


def run(settings: Settings, config: Path | None, roots: Roots, notify: Notify) -> None:
    """The product on one machine, until told to end. StartError, BindError."""
    paths = prepare(settings.data_dir)
    with ExitStack() as stack:
        stack.enter_context(only_one(paths))
        sockets = stack.enter_context(Sockets(settings, paths))
        made = partial(children, sockets=sockets, roots=roots, notify=notify)
        other = Reloader(settings, config, made, roots.problems, notify)
        reload = Reload(other.check, other.take, other.done, other.undone, other.late)
        supervisor = Supervisor(made(settings), notify, reload)
        refused = supervisor.run(lambda: _announce(settings, notify))
        if refused:
            raise StartError(f"{refused} cannot start, for the reason above")
        notify("ended")


def children(settings: Settings, sockets: Sockets, roots: Roots, notify: Notify) -> list[Child]:
    """The hub first: it loads what is its own while the supervisor loads what resolvers share."""
    hub = Child(
        "hub",
        lambda channel: _status(partial(roots.hub, settings, channel, notify), notify),
        sockets.of_hub(),
        title=("namewarden", "hub"),
        load=roots.load_hub,
        gives_way=True,
    )
    return [
        hub,
        *(
            _resolver(number, settings, sockets, roots, notify)
            for number in range(settings.dns.workers)
        ),
    ]


def _resolver(
    number: int, settings: Settings, sockets: Sockets, roots: Roots, notify: Notify
) -> Child:
    return Child(
        f"resolver {number}",
        lambda channel: _status(partial(roots.resolver, settings, channel, number, notify), notify),
        sockets.of_resolver(number),
        title=("namewarden", "resolver", "--worker", str(number)),
        load=roots.load_resolver,
        has_spare=True,
    )


def _status(serve: Callable[[], None], notify: Notify) -> int:
    try:
        serve()
    except (StartError, BindError) as error:
        notify(str(error))
        return 1
    return 0


def _announce(settings: Settings, notify: Notify) -> None:
    notify(f"DNS  {', '.join(settings.dns.listen)} (UDP and TCP)")
    notify(f"hub  http://{settings.hub.listen} (status page and API)")
    if settings.verdict.listen:
        notify(f"API  http://{settings.verdict.listen} (verdicts for other servers)")
    if settings.verdict.original:
        notify(f"API  http://{settings.verdict.original} (the original plugin's form)")
    notify("ready; Ctrl-C ends it")
