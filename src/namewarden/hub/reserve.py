"""Room on the disk that control data can have when others filled it: a file that is given up for them."""

import contextlib
import errno
import os
import shutil
from pathlib import Path

SIZE = 4 << 20  # octets
OF_DISK = 50  # at most this part of it


class Reserve:
    """`give()` before something precious is written, `keep()` now and then."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def give(self) -> None:
        """Where the disk is full, let go of the file."""
        with contextlib.suppress(OSError):
            disk = shutil.disk_usage(self._path.parent)
            if disk.free < _size(disk.total) // 2:
                self._path.unlink()

    def keep(self) -> None:
        """Take the room again, once there is twice as much."""
        with contextlib.suppress(OSError):
            disk = shutil.disk_usage(self._path.parent)
            if not self._path.exists() and disk.free > 2 * _size(disk.total):
                _fill(self._path, _size(disk.total))


def _size(total: int) -> int:
    return min(SIZE, total // OF_DISK)


def _fill(path: Path, size: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.posix_fallocate(handle, 0, size)
    except OSError as problem:
        if problem.errno == errno.ENOSPC:
            path.unlink()
    finally:
        os.close(handle)
