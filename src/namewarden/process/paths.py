"""Where state is kept: everything under `data_dir`, nothing elsewhere, for this user only."""

import contextlib
import errno
import fcntl
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


class StartError(Exception):
    """What keeps a process from starting, and what to do."""


@dataclass(frozen=True)
class Paths:
    """The files and folders of one installation."""

    root: Path

    @property
    def events(self) -> Path:
        return self.root / "events"

    @property
    def control(self) -> Path:
        return self.root / "control.sqlite"

    @property
    def snapshots(self) -> Path:
        return self.root / "snapshots"

    @property
    def lists(self) -> Path:
        return self.root / "lists"

    @property
    def subscriptions(self) -> Path:
        return self.root / "subscriptions"

    @property
    def jobs(self) -> Path:
        return self.root / "jobs"

    @property
    def hub_socket(self) -> Path:
        return self.root / "hub.sock"

    @property
    def verdict_socket(self) -> Path:
        return self.root / "verdict.sock"

    @property
    def secret(self) -> Path:
        return self.root / "secret"

    @property
    def lock(self) -> Path:
        return self.root / "lock"


def prepare(root: Path) -> Paths:
    """Make the folders (0700) and the installation's secret (0600) that are not there yet. StartError."""
    paths = Paths(root)
    try:
        for folder in (paths.root, paths.events, paths.snapshots, paths.lists):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):  # another user made it
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
        if not paths.secret.exists():
            _write_secret(paths.secret)
    except OSError as error:
        raise _not_ours(error) from error
    return paths


def _not_ours(error: OSError) -> StartError:
    return StartError(
        f"{error.filename}: {error.strerror}; data_dir must be a folder this user may write"
    )


def _write_secret(path: Path) -> None:
    part = path.with_suffix(f".{os.getpid()}")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_bytes(32))
    part.replace(path)


@contextlib.contextmanager
def only_one(paths: Paths) -> Iterator[None]:
    """One supervisor a data_dir: two would fight for its sockets and its store. StartError."""
    try:
        handle = os.open(paths.lock, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _not_ours(error) from error
    with open(handle, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(
                f"another Namewarden runs on {paths.root}; stop it or set another data_dir"
            ) from None
        yield
