"""Snapshots made of a few lines, for the tests of this room."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from namewarden.policy.compile import compile_snapshot
from namewarden.policy.overlay import Overlay
from namewarden.policy.rules import Rules
from namewarden.policy.snapshot import Snapshot
from namewarden.policy.spec import GroupSpec, ListSpec, RuleSpec, SnapshotSpec

SECRET = bytes(range(32))


def spec_of(
    folder: Path,
    lists: Mapping[str, str | bytes],
    groups: tuple[GroupSpec, ...] = (GroupSpec(name="default"),),
    form: str = "auto",
) -> SnapshotSpec:
    """Lists by `name` or `kind:name`, in order."""
    specs = []
    for key, text in lists.items():
        kind, _, name = key.rpartition(":")
        path = folder / f"{name}.txt"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        specs.append(ListSpec(name, str(path), kind or "deny", form))  # type: ignore[arg-type]
    return SnapshotSpec(lists=tuple(specs), groups=groups)


def snapshot_of(folder: Path, lists: Mapping[str, str | bytes], **more) -> Snapshot:
    folder.mkdir(exist_ok=True)
    return compile_snapshot(spec_of(folder, lists, **more), SECRET, folder / "policy.snap")


def ruled(rules: Iterable[RuleSpec] = ()) -> Rules:
    """Rules in force that are in no file."""
    return Rules(Overlay(1, tuple(rules)))


def said(snapshot: Snapshot, name: str) -> list[str]:
    return [snapshot.line(hit) for hit in snapshot.find(name)]
