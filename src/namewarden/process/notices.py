"""Tells when a file of a folder is put in place of another: inotify (Linux), which costs nothing while nothing happens.

Elsewhere, and where the system has no more watches to give, nobody tells, and who asks must look now and then.
"""

import ctypes
import os
import sys
from pathlib import Path

_MOVED_TO = 0x80  # <sys/inotify.h>


class FolderNotices:
    """`start()`, then whoever sees `number` readable calls `take()`; `stop()`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.number = -1  # of the file to wait for; -1 = nobody tells

    def start(self) -> bool:
        """Whether there will be notices."""
        if sys.platform != "linux":
            return False
        libc = ctypes.CDLL(None)
        number = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if number < 0:
            return False
        self.number = number
        if libc.inotify_add_watch(number, os.fsencode(self._folder), _MOVED_TO) < 0:
            self.stop()
        return self.number >= 0

    def take(self) -> None:
        """What came until now is known."""
        try:
            os.read(self.number, 1 << 16)
        except BlockingIOError:
            pass

    def stop(self) -> None:
        if self.number >= 0:
            os.close(self.number)
            self.number = -1
