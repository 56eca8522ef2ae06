"""What is in force: settings and control data become a policy snapshot that the resolvers map.

The compiler runs as a child (`policy/compile.py`), so that its memory is given back. Its file is whole before
`current` points at it, by a rename; when it fails the last good one stays and the reason is said.
"""

import asyncio
import hashlib
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from namewarden.hub.control import Control, Document
from namewarden.policy.spec import GroupSpec, ListSpec, RuleEffect, RuleSpec, SnapshotSpec

TICK = 0.25  # seconds between looks at the control data's revision
LOOK = 2.0  # seconds between looks at the lists' files
SETTLE = 0.3  # seconds in which nothing may change before it is compiled
PATIENCE = 600.0  # seconds the compiler may take
AGAIN = 30.0  # seconds after a failure
KEPT = 3  # snapshots; resolvers that still map a removed one are not disturbed
EFFECTS: dict[str, RuleEffect] = {"benign": "allow", "malicious": "deny", "honeypot": "redirect"}


class Published(Struct, frozen=True):
    """Of the snapshot in force. Kept beside it as `state.json`."""

    generation: int = 0
    key: str = ""  # of all that went into it
    time: float = 0.0
    report: list[dict[str, Any]] = []  # one for each list: lines, rules, skipped, error


class Publisher:
    """`run()` until cancelled. `lists` and `groups` come from the settings and stay first."""

    def __init__(
        self,
        control: Control,
        folder: Path,
        secret: Path,
        lists: Sequence[ListSpec] = (),
        groups: Sequence[GroupSpec] = (),
        model: str = "",
        clock: Callable[[], float] = time.time,
        notify: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.lists = tuple(lists)
        self.groups = tuple(groups)
        self.state = Published()
        self.problem = ""  # why the last attempt failed; "" = it did not
        self._revision = -1  # of the control data in force
        self._notify = notify
        self._said: dict[str, str] = {}  # trouble by list, "" = of the compiler; each is told once
        self._control = control
        self._folder = folder
        self._secret = secret
        self._model = model
        self._clock = clock
        self._files: dict[str, str] = {}
        self._failed = ("", 0.0)  # key and time of the last failure

    @property
    def current(self) -> Path:
        return self._folder / "current"

    def start(self) -> None:
        """Know what is in force already."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.current.exists():
            try:
                self.state = msgspec.json.decode(
                    (self._folder / "state.json").read_bytes(), type=Published
                )
            except (OSError, msgspec.MsgspecError):
                self.state = Published(self._newest())

    @property
    def is_pending(self) -> bool:
        """Whether something was changed that is not in force yet."""
        return self._revision != self._control.revision

    def spec(self) -> SnapshotSpec:
        """All that is in force now."""
        return build_spec(self._control, self.lists, self.groups, self._model)

    async def run(self) -> None:
        seen, looked, expiry = (-1, ""), 0.0, 0.0
        while True:
            now = time.monotonic()
            if now - looked >= LOOK:
                looked, files = now, await asyncio.to_thread(_look, self.spec().lists)
            expired = 0 < expiry <= self._clock()
            state = (self._control.revision, files)
            if state != seen or expired or self._is_due():
                await self._settle()
                seen = (self._control.revision, await asyncio.to_thread(_look, self.spec().lists))
                await self.publish()
                self._tell()
                expiry = self._control.next_expiry()
            await asyncio.sleep(TICK)

    def _tell(self) -> None:
        """To people at the terminal: what is new since the last time."""
        found = {"": self.problem} if self.problem else {}
        found |= {each["name"]: _trouble(each) for each in self.state.report if each.get("error")}
        for name, text in found.items():
            if self._said.get(name) != text:
                self._notify(text)
        for name in self._said.keys() - found.keys():
            self._notify(
                f"list {name!r} can be read again" if name else "the policy is compiled again"
            )
        self._said = found

    def _is_due(self) -> bool:
        return bool(self.problem) and self._clock() - self._failed[1] > AGAIN

    async def _settle(self) -> None:
        """Many changes, or a file that is being written, become one snapshot."""
        for _ in range(10):
            before = (self._control.revision, await asyncio.to_thread(_look, self.spec().lists))
            if not self.state.generation:
                return
            await asyncio.sleep(SETTLE)
            if before == (
                self._control.revision,
                await asyncio.to_thread(_look, self.spec().lists),
            ):
                return

    async def publish(self) -> bool:
        """Compile and swap, unless what is in force is made of the same. False when it failed."""
        revision = self._control.revision
        spec = self.spec()
        text = msgspec.json.encode(spec)
        files = await asyncio.to_thread(_look, spec.lists)
        key = hashlib.sha256(text + files.encode()).hexdigest()
        if key == self.state.key and self.current.exists():
            self.problem, self._revision = "", revision
            return True
        generation = max(self.state.generation, self._newest()) + 1
        target = self._folder / f"policy-{generation}.snap"
        try:
            report = await self._compile(text, target, generation)
            self._swap(target, Published(generation, key, self._clock(), report))
            self.problem, self._revision = "", revision
        except (OSError, TimeoutError, ValueError) as problem:
            self.problem = f"no new snapshot: {problem}"
            self._failed = key, self._clock()
            return False
        return True

    async def _compile(self, text: bytes, target: Path, generation: int) -> list[dict[str, Any]]:
        spec = self._folder / "spec.json"
        spec.write_bytes(text)
        command = [sys.executable, "-m", "namewarden.policy.compile", str(spec), str(target)]
        command += ["--secret", str(self._secret), "--generation", str(generation)]
        if self.current.exists():
            command += ["--previous", str(self.current)]
        child = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, errors = await asyncio.wait_for(child.communicate(), PATIENCE)
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        if child.returncode != 0:
            last = errors.decode(errors="replace").strip().splitlines()[-1:]
            raise ValueError(last[0] if last else f"the compiler ended with {child.returncode}")
        return msgspec.json.decode(out, type=list[dict[str, Any]])

    def _swap(self, target: Path, state: Published) -> None:
        link = self._folder / "current.new"
        link.unlink(missing_ok=True)
        link.symlink_to(target.name)
        link.rename(self.current)
        part = self._folder / "state.new"
        part.write_bytes(msgspec.json.encode(state))
        part.rename(self._folder / "state.json")
        handle = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        self.state = state
        for old in self._generations()[:-KEPT]:
            (self._folder / f"policy-{old}.snap").unlink(missing_ok=True)

    def _generations(self) -> list[int]:
        names = (path.name[7:-5] for path in self._folder.glob("policy-*.snap"))
        return sorted(int(name) for name in names if name.isdecimal())

    def _newest(self) -> int:
        return (self._generations() or [0])[-1]


def _trouble(report: Mapping[str, Any]) -> str:
    kept = "its last good copy stays in force" if report.get("stale") else "none of it is in force"
    return f"list {report['name']!r} {report['error']}; {kept}"


def _look(lists: Sequence[ListSpec]) -> str:
    """What the files look like from outside."""
    found = []
    for entry in lists:
        try:
            state = os.stat(entry.path)
            found.append(f"{entry.path}:{state.st_mtime_ns}:{state.st_size}:{state.st_ino}")
        except OSError as problem:
            found.append(f"{entry.path}:{problem.strerror}")
    return "\n".join(found)


def build_spec(
    control: Control, lists: Sequence[ListSpec], groups: Sequence[GroupSpec], model: str = ""
) -> SnapshotSpec:
    """Settings first, then control data by id. What has expired is left out: `find` does not give it."""
    taken = {entry.name for entry in lists}
    more = [to_list(d) for d in control.find("list") if d.id not in taken]
    all_lists = (*lists, *more)
    known = {entry.name for entry in all_lists}
    base = tuple(groups) or (GroupSpec(name="default"),)
    taken = {group.name for group in base}
    own = [to_group(d, known) for d in control.find("group") if d.id not in taken]
    rules = [to_rule(d) for d in control.find("decision")] + [
        to_rule(d) for d in control.find("rule")
    ]
    tokens = [d.body["hash"] for d in control.find("token") if d.body["role"] == "source"]
    return SnapshotSpec(all_lists, (*base, *own), tuple(rules), tuple(tokens), model)


def to_list(document: Document) -> ListSpec:
    return msgspec.convert({"name": document.id, **_plain(document.body, ListSpec)}, ListSpec)


def to_group(document: Document, known: set[str]) -> GroupSpec:
    """A list that is gone meanwhile is not asked for."""
    group = msgspec.convert({"name": document.id, **_plain(document.body, GroupSpec)}, GroupSpec)
    if group.lists is None:
        return group
    return msgspec.structs.replace(
        group, lists=tuple(name for name in group.lists if name in known)
    )


def to_rule(document: Document) -> RuleSpec:
    """A rule, or a vetted decision: its verdict says the effect."""
    body = document.body
    return RuleSpec(
        id=document.id if document.kind == "rule" else "decision",  # its id is the name beside it
        name=body["name"],
        effect=EFFECTS[body["verdict"]] if document.kind == "decision" else body["effect"],
        match=body["match"],
        groups=tuple(body["groups"]),
        expires=document.expires,
        reason=body["reason"],
    )


def _plain(body: Mapping[str, Any], kind: type[Struct]) -> dict[str, Any]:
    return {name: body[name] for name in kind.__struct_fields__ if name in body}
