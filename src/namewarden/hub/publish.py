"""What is in force: settings and control data become a policy snapshot that the resolvers map, and an overlay.

The compiler is a job (`policy/compile.py`), so that its memory is given back. Its file is whole before
`current` points at it, by a rename; when it fails the last good one stays and the reason is said. Rules and
decisions are no part of it (`overlay.py`).
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Container, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from namewarden.hub.control import Control
from namewarden.hub.files import Known, contents, looks
from namewarden.hub.jobs import Job, Jobs
from namewarden.hub.overlay import OverlayPublisher
from namewarden.hub.specs import build_spec
from namewarden.policy.meta import READING
from namewarden.policy.overlay import move_link, sync_folder
from namewarden.policy.source import UNREAD
from namewarden.policy.spec import GroupSpec, ListSpec, SnapshotSpec

TICK = 0.25  # seconds between looks at the control data's revision
LOOK = 2.0  # seconds between looks at the lists' files
SETTLE = 0.3  # seconds in which nothing may change before it is compiled
PATIENCE = 600.0  # seconds the compiler may take
MEMORY = 4 << 30  # octets; two million names take 0.35 GB
NICE = 5  # resolvers first
AGAIN = 30.0  # seconds after a failure
KEPT = 3  # snapshots; resolvers that still map a removed one are not disturbed


class Published(Struct, frozen=True):
    """Of the snapshot in force. Kept beside it as `state.json`."""

    generation: int = 0
    key: str = ""  # of all that went into it
    time: float = 0.0
    report: list[dict[str, Any]] = []  # one for each list: lines, rules, skipped, error
    files: Known = {}  # so that a start need not read what looks as it did


class Publisher:
    """`run()` until cancelled. `lists` and `groups` come from the settings and stay first."""

    def __init__(
        self,
        control: Control,
        folder: Path,
        secret: Path,
        jobs: Jobs,
        lists: Sequence[ListSpec] = (),
        groups: Sequence[GroupSpec] = (),
        model: str = "",
        clock: Callable[[], float] = time.time,
        notify: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.lists = tuple(lists)
        self.groups = tuple(groups)
        self.overlay = OverlayPublisher(control, folder, secret, clock)
        self.state = Published()
        self.problem = ""  # why the last attempt to make a snapshot failed; "" = it did not
        self.guard_problem = ""  # why there is no new guard list; "" = there is
        self.first = asyncio.Event()  # some policy is in force, or it is known why there is none
        self.subscribed: Container[str] = ()  # lists by URL
        self._revision = -1  # of the control data in force
        self._asked = self._done = 0  # how often somebody wanted the files looked at, and it was
        self._notify = notify
        self._told: dict[str, str] = {}  # trouble told, by what is told when it is over
        self._control = control
        self._folder = folder
        self._secret = secret
        self._jobs = jobs
        self._model = model
        self._clock = clock
        self._files: Known = {}
        self._failed = ("", 0.0)  # key and time of the last failure
        self._was_late = False  # the last compiler

    @property
    def current(self) -> Path:
        return self._folder / "current"

    def start(self) -> None:
        """Know what is in force already."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.current.exists():
            self.first.set()
            try:
                self.state = msgspec.json.decode(
                    (self._folder / "state.json").read_bytes(), type=Published
                )
            except (OSError, msgspec.MsgspecError):
                self.state = Published(self._newest())
            self._files = dict(self.state.files)
        self.overlay.start()

    @property
    def is_pending(self) -> bool:
        """Whether something was changed that is not in force yet."""
        is_other = self._revision != self._control.revision or self._asked != self._done
        return is_other or self.overlay.is_pending

    @property
    def problems(self) -> list[str]:
        """Why what is wanted is not in force."""
        return [text for text in (self.problem, self.overlay.problem) if text]

    @property
    def list_problems(self) -> list[str]:
        """Of lists that could not be read when the snapshot in force was made."""
        return [_trouble(each) for each in self._troubled()]

    def _troubled(self) -> list[dict[str, Any]]:
        return [
            each for each in self.state.report if each.get("error") and not self._is_missing(each)
        ]

    def _is_missing(self, report: Mapping[str, Any]) -> bool:
        """Whether it is of a list by URL that had no copy yet: whoever downloads it says why."""
        is_unread = not report.get("stale") and report["error"].startswith(UNREAD)
        return is_unread and report["name"] in self.subscribed

    def spec(self) -> SnapshotSpec:
        """All that a snapshot made now would hold."""
        return build_spec(self._control, self.lists, self.groups, self._model)

    def look(self) -> None:
        """Some file is another one: it is in force when nothing is pending any more."""
        self._asked += 1

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.overlay.run())
            await self._follow()

    async def _follow(self) -> None:
        """Lists, groups and tokens."""
        seen, looked, expiry = (-1, ""), 0.0, 0.0
        while True:
            now, asked = time.monotonic(), self._asked
            if now - looked >= LOOK or asked != self._done:
                looked, files = now, await asyncio.to_thread(looks, self.spec().lists)
            expired = 0 < expiry <= self._clock()
            state = (self._control.revision, files)
            if state != seen or expired or self._is_due():
                await self._settle()
                seen = (self._control.revision, await asyncio.to_thread(looks, self.spec().lists))
                await self.publish()
                expiry = self._control.next_expiry()
            if not self.problem:
                self._done = asked
            self._tell()
            await asyncio.sleep(TICK)

    def _tell(self) -> None:
        """To people at the terminal: what is new since the last time."""
        found = {
            f"list {each['name']!r} can be read again": _trouble(each) for each in self._troubled()
        }
        for each in self.state.report:
            if each.get("refused"):
                found[f"list {each['name']!r} has no line any more that reaches too much"] = (
                    _refused(each)
                )
        found["the policy is compiled again"] = self.problem
        found["rules and decisions are in force again"] = self.overlay.problem
        for good, text in found.items():
            if text and self._told.get(good) != text:
                self._notify(text)
        for good in self._told.keys() - {good for good, text in found.items() if text}:
            self._notify(good)
        self._told = {good: text for good, text in found.items() if text}

    def _is_due(self) -> bool:
        return bool(self.problem) and self._clock() - self._failed[1] > AGAIN

    async def _settle(self) -> None:
        """Many changes, or a file that is being written, become one snapshot."""
        for _ in range(10):
            before = (self._control.revision, await asyncio.to_thread(looks, self.spec().lists))
            if not self.state.generation:
                return
            await asyncio.sleep(SETTLE)
            if before == (
                self._control.revision,
                await asyncio.to_thread(looks, self.spec().lists),
            ):
                return

    async def publish(self) -> bool:
        """Compile and swap, unless what is in force is made of the same. False when it failed."""
        revision = self._control.revision
        spec = self.spec()
        text = msgspec.json.encode(spec)
        self._files = await asyncio.to_thread(contents, spec.lists, self._files)
        held = "\n".join(self._files[each.path][1] for each in spec.lists)
        key = hashlib.sha256(b"%d " % READING + text + held.encode()).hexdigest()
        if key == self.state.key and self.current.exists():
            self.problem, self._revision = "", revision
            return True
        generation = max(self.state.generation, self._newest()) + 1
        target = self._folder / f"policy-{generation}.snap"
        try:
            report = await self._compile(text, target, generation)
            self._swap(target, Published(generation, key, self._clock(), report, self._files))
            self.problem, self._revision = "", revision
        except (OSError, ValueError) as problem:
            self.problem = f"no new snapshot: {problem}"
            self._failed = key, self._clock()
            return False
        finally:
            self.first.set()
        return True

    async def _compile(self, text: bytes, target: Path, generation: int) -> list[dict[str, Any]]:
        spec = self._folder / "spec.json"
        spec.write_bytes(text)
        command = ["-m", "namewarden.policy.compile", str(spec), str(target)]
        command += ["--secret", str(self._secret), "--generation", str(generation)]
        command += ["--now", str(self._clock())]
        if self.current.exists():
            command += ["--previous", str(self.current)]
        for old in self._generations()[: 1 - KEPT]:  # the job makes one more
            command += ["--remove", str(self._folder / f"policy-{old}.snap")]
        # A nice job alone holds a query up for some milliseconds, for a process that runs has its slice. One that was
        # given no time at all, for whatever else there is to do, gets its share the next time.
        is_idle = self.current.exists() and not self._was_late
        job = Job("compile", tuple(command), MEMORY, PATIENCE, NICE, is_idle)
        ended = await self._jobs.run(job)
        self._was_late = ended.state == "timed out"
        if ended.state != "done":
            raise ValueError(ended.problem)
        return msgspec.convert(ended.result, list[dict[str, Any]])

    def _swap(self, target: Path, state: Published) -> None:
        move_link(self.current, target.name)
        part = self._folder / "state.new"
        part.write_bytes(msgspec.json.encode(state))
        part.rename(self._folder / "state.json")
        sync_folder(self._folder)
        self.state = state

    def _generations(self) -> list[int]:
        names = (path.name[7:-5] for path in self._folder.glob("policy-*.snap"))
        return sorted(int(name) for name in names if name.isdecimal())

    def _newest(self) -> int:
        return (self._generations() or [0])[-1]


def _refused(report: Mapping[str, Any]) -> str:
    """Of a list some of whose lines reach too many popular names, or addresses that are special."""
    line, reach = report["refused"][0]
    count = report["skipped"].get("broad", 0)
    many = f"reaches {reach:,} of the 10,000 most popular names"
    said = f"alone {many}" if reach else "holds private or special addresses, or too many"
    return (
        f"list {report['name']!r}: {count} line{'s' * (count != 1)} refused: line {line} {said}; "
        "broad = true takes such lines"
    )


def _trouble(report: Mapping[str, Any]) -> str:
    kept = "its last good copy stays in force" if report.get("stale") else "none of it is in force"
    return f"list {report['name']!r} {report['error']}; {kept}"
