"""What the hub does first: control data, the jobs, and the publisher of the policy that resolvers wait for.

Loads little, so that compiling begins at once. Counterpart: `api.py`, the rest of the hub.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path

from namewarden.detector import guard
from namewarden.hub.control import Control, ControlError
from namewarden.hub.jobs import Job, Jobs
from namewarden.hub.publish import Publisher
from namewarden.hub.specs import added_subscriptions
from namewarden.hub.subscriptions import store
from namewarden.hub.subscriptions.follow import Subscriptions
from namewarden.hub.subscriptions.store import Asked, Fetched, Subscription
from namewarden.policy import chosen
from namewarden.policy.spec import GroupSpec, ListSpec
from namewarden.process.paths import Paths, StartError
from namewarden.settings import GUARD_LIST, PolicyList, Settings, is_url

Notify = Callable[[str], None]
Lookup = Callable[[str], Awaitable[Iterable[str]]]  # as `hub/subscriptions/connect.py` has it
SHOWN = 3  # lists that are named where many are meant
GUARD_AGAIN = 60.0  # seconds until a guard list that could not be written is tried again


async def nobody(name: str) -> Iterable[str]:
    """A look-up where there is no upstream."""
    raise OSError(f"no address of {name}: there is nobody to ask")


class Publishing:
    """`start()`, then `run()` until cancelled, then `stop()`."""

    def __init__(
        self,
        settings: Settings,
        paths: Paths,
        notify: Notify,
        lookup: Lookup = nobody,
        version: str = "",
    ) -> None:
        self._settings = settings.subscriptions
        self._lookup = lookup
        self._version = version
        self._guard = paths.lists / "guard.txt"
        self._guard_problem = ""
        self._notify = notify
        self.control = Control(paths.control)
        self.jobs = Jobs(paths.jobs)
        self.publisher = Publisher(
            self.control,
            paths.snapshots,
            paths.secret,
            self.jobs,
            [*list_specs(settings), ListSpec(GUARD_LIST, str(self._guard), "guard", "domains")],
            group_specs(settings),
            notify=notify,
        )
        named = {each.name for each in settings.lists}
        self.subscriptions = Subscriptions(
            paths.subscriptions,
            lambda: [*subscriptions_of(settings), *added_subscriptions(self.control, named)],
            self._fetch,
            self._settings.refresh,
            self.publisher.look,
            notify,
        )
        self.publisher.subscribed = self.subscriptions

    def start(self) -> None:
        """StartError."""
        try:
            self.control.start()
            self.subscriptions.start()
        except (ControlError, OSError) as problem:
            raise StartError(str(problem)) from problem
        self.jobs.start()
        self.publisher.start()

    async def run(self) -> None:
        """What was in force stays so until a new guard list is written; one that cannot be is tried again."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.subscriptions.run())
            written = guard.is_fresh(self._guard) or await self._write_guard()
            await self._wait_for_lists()
            group.create_task(self.publisher.run())
            while not written:
                await asyncio.sleep(GUARD_AGAIN)
                written = await self._write_guard()

    async def _wait_for_lists(self) -> None:
        """Nothing is in force yet, and what is blocked should not be answered first."""
        missing = self.subscriptions.missing
        if not missing or self.publisher.first.is_set() or self._settings.start == "fast":
            return
        self._notify(
            f"the first policy waits for {_some(missing)}: {self._settings.wait:g} s at most"
        )
        await self.subscriptions.first(self._settings.wait)
        if late := self.subscriptions.missing:
            self._notify(f"the first policy is made without {_some(late)}")

    async def _fetch(
        self, asked: Asked, part: Path, told: Callable[[int, int], None]
    ) -> Fetched | None:
        """Loaded when the first list is downloaded: who has none needs no HTTP client so soon."""
        from namewarden.hub.subscriptions.fetch import Web, fetch

        web = Web(
            self._lookup,
            self._settings.size,
            self._settings.timeout,
            f"namewarden/{self._version}",
        )
        return await fetch(web, asked, part, told)

    async def _write_guard(self) -> bool:
        problem = await write_guard_list(self.jobs, self._guard)
        if problem != self._guard_problem:
            self._notify(problem or "the guard list is written")
        self._guard_problem = self.publisher.guard_problem = problem
        return not problem

    def stop(self) -> None:
        self.control.stop()


def _some(names: Sequence[str]) -> str:
    """The first of them, and how many more."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


async def write_guard_list(jobs: Jobs, path: Path) -> str:
    """By a job: the lists are large and this process stays small. "", or why it was not and what that means."""
    try:
        ended = await jobs.run(Job("guard list", ("-m", "namewarden.detector.guard", str(path))))
        problem = ended.problem
    except OSError as error:
        problem = str(error)
    return problem and f"the guard list could not be written: {problem}; {_without(path)}"


def _without(path: Path) -> str:
    return "the one before holds" if path.exists() else "until it is, the model blocks nothing"


def list_specs(settings: Settings) -> list[ListSpec]:
    return [
        ListSpec(
            each.name,
            str(_file(each, settings)),
            each.kind,
            each.format,
            each.broad,
            each.keep,
        )
        for each in settings.lists
    ]


def _file(each: PolicyList, settings: Settings) -> Path:
    """Of a list by URL: its last good copy."""
    copies = Paths(settings.data_dir).subscriptions
    path = store.path_of(copies, each.name) if is_url(each.source) else Path(each.source)
    return path.absolute()


def subscriptions_of(settings: Settings) -> list[Subscription]:
    """The lists by URL."""
    return [
        Subscription(each.name, each.source, each.allow_private)
        for each in settings.lists
        if is_url(each.source)
    ]


def group_specs(settings: Settings) -> tuple[GroupSpec, ...]:
    """The groups of the settings, `default` among them, with what they do not say filled in. StartError."""
    base = GroupSpec(
        "default",
        mode=settings.model.mode,
        block=settings.block.mode,
        ttl=settings.block.ttl,
        addresses=settings.block.addresses,
        redirect=settings.block.redirect,
    )
    if wrong := chosen.problems_of(settings.groups):
        raise StartError("\n".join(wrong))
    made = [_filled(base, group.model_dump(exclude_none=True)) for group in settings.groups]
    return tuple(made) if any(group.name == "default" for group in made) else (base, *made)


def _filled(base: GroupSpec, said: dict[str, object]) -> GroupSpec:
    values = {name: getattr(base, name) for name in base.__struct_fields__}
    return GroupSpec(**{**values, **said})
