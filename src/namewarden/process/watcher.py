"""The policy in force in this process: follows the link `current`, swaps whole policies, tells who must forget."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import structlog

from namewarden.policy.decide import Policy
from namewarden.policy.errors import ListError
from namewarden.policy.snapshot import Snapshot

log = structlog.get_logger("watcher")
LOOK = 0.2  # seconds between looks at the link: what a change of rules takes to be felt


class PolicyWatcher:
    """`look()` until there is a policy, then `follow()` it."""

    def __init__(self, link: Path, secret: bytes, changed: Callable[[Policy], None]) -> None:
        self._link = link
        self._secret = secret
        self._changed = changed
        self._seen = ""
        self.policy: Policy | None = None
        self.problem = ""  # why the newest file is not in force; "" = it is

    def current(self) -> Policy:
        assert self.policy is not None, "listeners open only once a policy is mapped"
        return self.policy

    def look(self) -> bool:
        """Map what the link points at, if it is another file than before. True when there is a policy."""
        if path := self._newer():
            self._take(self._made(path))
        return self.policy is not None

    def _newer(self) -> Path | None:
        try:
            target = os.readlink(self._link)
        except OSError:  # nothing published yet
            return None
        if target == self._seen:
            return None
        self._seen = target
        return self._link.parent / target

    def _made(self, path: Path) -> Policy | ListError:
        try:
            return Policy(Snapshot.open(path, self._secret))
        except ListError as error:
            return error

    def _take(self, policy: Policy | ListError) -> None:
        if isinstance(policy, ListError):  # the one in force stays, and this one is tried again
            self._seen = ""
            if str(policy) != self.problem:
                log.error("policy", problem=str(policy))
            self.problem = str(policy)
            return
        self.problem = ""
        self.policy = policy
        self._changed(policy)

    async def first(self) -> None:
        """Wait until something was published."""
        self.look()
        while self.policy is None:
            await self._next()

    async def follow(self) -> None:
        while True:
            await self._next()

    async def _next(self) -> None:
        """Thousands of patterns take their time to compile: the loop answers meanwhile."""
        await asyncio.sleep(LOOK)
        if path := self._newer():
            self._take(await asyncio.to_thread(self._made, path))
