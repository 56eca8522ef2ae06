"""The product on a disk of its own that becomes full: run by `test_full_disk.py` in a mount namespace.

`python -m tests.faults.full_disk FOLDER`: FOLDER/disk is a tmpfs that only this process and its children see.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.product import Product, data, product

DISK = "24m"


def fill(disk: Path, leave: int = 0) -> Path:
    path = disk / "others"
    with path.open("wb") as file:
        free = os.statvfs(disk)
        os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - leave)
    return path


def said(running: Product, text: str) -> Callable[[], bool]:
    return lambda: text in running.text()


def check(folder: Path, disk: Path) -> None:
    with product(disk, None, more='[local]\nrecords = ["own.test. 300 A 192.0.2.80"]') as running:
        running.ask("own.test")
        running.event("own.test.")
        others = fill(disk)  # somebody else's file
        running.ask("second.test")
        running.until(said(running, "events are not stored: the disk is full"))
        assert data(running.ask("own.test")) == ["192.0.2.80"]
        done = running.command("deny", "bad.example.org", *running.where)
        assert done.returncode == 0, done.stderr + running.text()
        assert data(running.ask("bad.example.org")) == ["0.0.0.0"]
        running.stop()
        assert "Traceback" not in running.text()
        running.log.write_text("")
        running.start()  # on the full disk
        running.wait_for("ready;")
        assert data(running.ask("bad.example.org")) == ["0.0.0.0"]
        running.until(said(running, "events are not stored"))
        others.unlink()
        running.ask("third.test")
        running.event("third.test.")
        running.event("own.test.", status="LOCAL")
        assert running.text().count("events are not stored") == 1
        assert running.text().count("events are stored again") == 1
        running.stop()
        assert "Traceback" not in running.text()


def main(folder: Path) -> None:
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", disk], check=True)
    check(folder, disk)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
