"""What the hub does first: control data, the jobs, and the publisher of the policy that resolvers wait for.

Loads little, so that compiling begins at once. Counterpart: `api.py`, the rest of the hub.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from namewarden.detector import guard
from namewarden.hub.control import Control, ControlError
from namewarden.hub.jobs import Job, Jobs
from namewarden.hub.publish import Publisher
from namewarden.policy.spec import GroupSpec, ListSpec
from namewarden.process.paths import Paths, StartError
from namewarden.settings import GUARD_LIST, Settings

Notify = Callable[[str], None]
GUARD_AGAIN = 60.0  # seconds until a guard list that could not be written is tried again


class Publishing:
    """`start()`, then `run()` until cancelled, then `stop()`."""

    def __init__(self, settings: Settings, paths: Paths, notify: Notify) -> None:
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

    def start(self) -> None:
        """StartError."""
        try:
            self.control.start()
        except ControlError as problem:
            raise StartError(str(problem)) from problem
        self.jobs.start()
        self.publisher.start()

    async def run(self) -> None:
        """What was in force stays so until a new guard list is written; one that cannot be is tried again."""
        written = guard.is_fresh(self._guard) or await self._write_guard()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.publisher.run())
            while not written:
                await asyncio.sleep(GUARD_AGAIN)
                written = await self._write_guard()

    async def _write_guard(self) -> bool:
        problem = await write_guard_list(self.jobs, self._guard)
        if problem != self._guard_problem:
            self._notify(problem or "the guard list is written")
        self._guard_problem = self.publisher.guard_problem = problem
        return not problem

    def stop(self) -> None:
        self.control.stop()


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
        ListSpec(each.name, str(Path(each.source).absolute()), each.kind, each.format, each.broad)
        for each in settings.lists
    ]


def group_specs(settings: Settings) -> tuple[GroupSpec, ...]:
    """The groups of the settings, `default` among them, with what they do not say filled in."""
    base = GroupSpec(
        "default",
        mode=settings.model.mode,
        block=settings.block.mode,
        ttl=settings.block.ttl,
        addresses=settings.block.addresses,
        redirect=settings.block.redirect,
    )
    made = [_filled(base, group.model_dump(exclude_none=True)) for group in settings.groups]
    return tuple(made) if any(group.name == "default" for group in made) else (base, *made)


def _filled(base: GroupSpec, said: dict[str, object]) -> GroupSpec:
    values = {name: getattr(base, name) for name in base.__struct_fields__}
    return GroupSpec(**{**values, **said})
