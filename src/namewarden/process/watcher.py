"""The policy in force in this process: snapshot and overlay, swapped whole; tells which names to judge anew."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path

import structlog

from namewarden.policy import overlay, rules
from namewarden.policy.decide import Policy
from namewarden.policy.errors import ListError
from namewarden.policy.rules import Reaches, Rules
from namewarden.policy.snapshot import Snapshot
from namewarden.process.notices import FolderNotices

log = structlog.get_logger("watcher")
LOOK = 0.2  # seconds between looks at the links where nobody tells that they were moved
CERTAIN = 5.0  # seconds between looks all the same
AGAIN = 0.5  # seconds until a file that cannot be used is tried again

# The policy, and which names it may judge otherwise than the one before; None: any.
Changed = Callable[[Policy, Reaches | None], None]
Links = tuple[str, str]  # where they point: the snapshot, the overlay


class PolicyWatcher:
    """`look()` until there is a policy, or `first()` and then `follow()` it."""

    def __init__(
        self,
        folder: Path,
        secret: bytes,
        changed: Changed,
        notices: FolderNotices | None = None,
    ) -> None:
        self._folder = folder
        self._notices = notices or FolderNotices(folder)
        self._secret = secret
        self._changed = changed
        self._seen: Links = ("", "")
        self.policy: Policy | None = None
        self.pause = 0.0  # seconds that `follow` lets others go first
        self.problem = ""  # why the newest files are not in force; "" = they are

    def current(self) -> Policy:
        assert self.policy is not None, "listeners open only once a policy is mapped"
        return self.policy

    def look(self) -> bool:
        """Take what the links point at, if it is other files than before. True when there is a policy."""
        links = self._links()
        if links[0] and links != self._seen:
            self._take(links, self._made(links))
        return self.policy is not None

    def _links(self) -> Links:
        return _target(self._folder / "current"), _target(self._folder / overlay.LINK)

    def _made(self, links: Links) -> tuple[Policy, Reaches | None] | ListError:
        """Reads what is other than before. Of an overlay alone only the names that it reaches are judged anew."""
        before, (snapshot, said) = self.policy, links
        try:
            known = before.rules if before else None
            ruled = known if known and said == self._seen[1] else self._rules(said, known)
            if before is None or snapshot != self._seen[0]:
                mapped = Snapshot.open(self._folder / snapshot, self._secret)
                return Policy(mapped, ruled, before), None
            return before.with_rules(ruled), rules.changed(before.rules, ruled)
        except ListError as error:
            return error

    def _rules(self, said: str, before: Rules | None) -> Rules:
        if not said:  # nobody ever published one
            return Rules(overlay.Overlay())
        return rules.load(self._folder / said, self._secret, before)

    def _take(self, links: Links, made: tuple[Policy, Reaches | None] | ListError) -> None:
        if isinstance(made, ListError):  # the policy in force stays, and these are tried again
            if str(made) != self.problem:
                log.error("the policy is not taken, the one before stays", problem=str(made))
            self.problem = str(made)
            return
        self.problem = ""
        self._seen = links
        self.policy, reaches = made
        self._changed(self.policy, reaches)

    async def first(self) -> None:
        """Wait until something was published."""
        async with aclosing(self._looks()) as looks:
            async for _ in looks:
                if self.look():
                    return

    async def follow(self) -> None:
        """Until cancelled."""
        async with aclosing(self._looks()) as looks:
            async for _ in looks:
                links = self._links()
                if links[0] and links != self._seen and self.pause:
                    await asyncio.sleep(self.pause)
                    links = self._links()
                if links[0] and links != self._seen:
                    # Thousands of expressions take their time to compile: the loop answers meanwhile.
                    self._take(links, await asyncio.to_thread(self._made, links))

    async def _looks(self) -> AsyncGenerator[None, None]:
        """It is time to look: now, whenever a link was moved, and now and then all the same."""
        loop, moved, notices = asyncio.get_running_loop(), asyncio.Event(), self._notices
        is_told = notices.start()
        if is_told:
            loop.add_reader(notices.number, _told, notices, moved)
        try:
            while True:
                yield
                await _set_or_late(moved, AGAIN if self.problem else CERTAIN if is_told else LOOK)
        finally:
            if is_told:
                loop.remove_reader(notices.number)
            notices.stop()


def _told(notices: FolderNotices, moved: asyncio.Event) -> None:
    notices.take()
    moved.set()


def _target(link: Path) -> str:
    try:
        return os.readlink(link)
    except OSError:  # nothing published yet
        return ""


async def _set_or_late(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        pass
    event.clear()
