"""Rules and decisions of the control data become the overlay that every resolver takes at once.

Each change is published by who made it, before the API answers; what many change at once goes out together. What was
not published when the hub was killed is at its next start. Counterparts: `policy/overlay.py`, `process/watcher.py`.
"""

import asyncio
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from namewarden.hub.control import Control
from namewarden.hub.specs import to_rule
from namewarden.policy import overlay, rules
from namewarden.policy.errors import ListError
from namewarden.policy.overlay import Overlay
from namewarden.policy.spec import RuleSpec

TICK = 0.25  # seconds between looks for what nobody published
FOLD = 1000  # changes, or a part of all rules, from which a new base is written
PART = 32
AGAIN = 5.0  # seconds after a failure
KEPT = 10  # overlays; a resolver may be about to read one before the last

Key = tuple[str, str]  # kind and id of the document


class OverlayPublisher:
    """`start()`, then `publish()` from any thread, and `run()` until cancelled."""

    def __init__(
        self,
        control: Control,
        folder: Path,
        secret: Path,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._control = control
        self._folder = folder
        self._secret_file = secret
        self._secret = b""
        self._clock = clock
        self._lock = threading.Lock()
        self._now: dict[Key, RuleSpec] = {}
        self._base: dict[Key, RuleSpec] = {}
        self._other: set[Key] = set()  # what is other now than in the base
        self._based = (0, b"")  # the base's generation and digest
        self._is_behind = False
        self.limit = overlay.COUNT_LIMIT
        self.generation = 0
        self.problem = ""  # why the last attempt failed; "" = it did not

    def start(self) -> None:
        """Publish what the control data says, unless it is in force. OSError when the secret cannot be read."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._secret = self._secret_file.read_bytes()
        self._control.take_ruled()
        for document in (*self._control.find("decision"), *self._control.find("rule")):
            self._now[document.kind, document.id] = to_rule(document)
        self.generation = max(self._generations(), default=0)
        self._is_behind = not self._is_in_force()
        if self._is_behind:
            self._based = 0, b""
        self._base = dict(self._now) if self._based[0] else {}
        self._other = self._now.keys() - self._base.keys()
        self.publish()

    def _is_in_force(self) -> bool:
        """Whether the overlay that resolvers take says the same; a base with many changes is not kept."""
        try:
            link = self._folder / os.readlink(self._folder / overlay.LINK)
            found = rules.load(link, self._secret)
        except (OSError, ListError):
            return False
        said = found.overlay
        self.generation = max(self.generation, said.generation)
        if said.base and (said.rules or said.gone):
            return False
        self._based = (said.base, said.digest)
        return set(found) == set(self._now.values())

    @property
    def is_pending(self) -> bool:
        """Whether something was changed that is not published yet."""
        return self._is_behind or self._control.has_ruled

    @property
    def is_full(self) -> bool:
        return len(self._now) >= self.limit

    @property
    def count(self) -> int:
        """Rules and decisions in force."""
        return len(self._now)

    def rules(self) -> list[RuleSpec]:
        """All in force now: decisions by name, then rules by id."""
        now = self._clock()
        with self._lock:
            found = sorted(self._now.items())
        return [rule for _, rule in found if not rule.expires or rule.expires > now]

    def publish(self) -> bool:
        """Everything changed until now is in force when this returns; False with `problem` when it is not."""
        with self._lock:
            try:
                self._take_changes()
                if self._is_behind:
                    self._write()
                self.problem = ""
            except (OSError, ListError) as problem:
                self.problem = f"rules and decisions are not in force: {problem}"
        return not self.problem

    def _take_changes(self) -> None:
        for key, document in self._control.take_ruled().items():
            self._is_behind = True
            if document is None:
                self._now.pop(key, None)
            else:
                self._now[key] = to_rule(document)
            is_other = self._now.get(key) != self._base.get(key)
            (self._other.add if is_other else self._other.discard)(key)

    def _write(self) -> None:
        self.generation += 1
        now = tuple(self._now[key] for key in sorted(self._other & self._now.keys()))
        gone = tuple(self._base[key] for key in self._other & self._base.keys())
        overlay.write(self._folder, Overlay(self.generation, now, gone, *self._based), self._secret)
        overlay.put_in_force(self._folder, self.generation)
        self._is_behind = False
        for old in sorted(self._generations())[:-KEPT]:
            if old != self._based[0]:
                overlay.path_of(self._folder, old).unlink(missing_ok=True)

    async def run(self) -> None:
        while True:
            if self.is_pending:
                await asyncio.to_thread(self.publish)
            if len(self._other) >= max(FOLD, len(self._now) // PART) or self._is_full_of_ended():
                await asyncio.to_thread(self._fold)
            await asyncio.sleep(AGAIN if self.problem else TICK)

    def _is_full_of_ended(self) -> bool:
        """Whether there is room only where something has expired."""
        now = self._clock()
        return self.is_full and any(0 < rule.expires <= now for rule in [*self._now.values()])

    def _fold(self) -> None:
        """All of now becomes the base, without what has expired."""
        with self._lock:
            try:
                now = self._clock()
                for key, rule in [*self._now.items()]:
                    if 0 < rule.expires <= now:
                        del self._now[key]
                self.generation += 1
                whole = Overlay(self.generation, tuple(self._now[key] for key in sorted(self._now)))
                self._based = self.generation, overlay.write(self._folder, whole, self._secret)
                self._base, self._other = dict(self._now), set()
                self._write()
            except (OSError, ListError) as problem:
                self.problem = f"rules and decisions are not in force: {problem}"
                self._is_behind = True

    def _generations(self) -> list[int]:
        names = (path.name[8:-6] for path in self._folder.glob("overlay-*.rules"))
        return [int(name) for name in names if name.isdecimal()]
