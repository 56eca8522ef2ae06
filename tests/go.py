"""What is written in Go, for tests: built once a session by `make`, or a skip that says what is missing."""

import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BUILD_WITHIN = 500.0  # seconds: the first build fetches the modules and compiles them all


def need_go() -> str:
    """The path of `go`, or a skip. `make` looks in the same places."""
    found = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if found is None:
        pytest.skip(
            "needs Go, to build CoreDNS with the plugin: https://go.dev/dl or apt-get install golang"
        )
    return found


@cache
def built(target: str) -> Path:
    """`build/TARGET`, made by `make TARGET`."""
    need_go()
    made = subprocess.run(
        ["make", "-s", target],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=BUILD_WITHIN,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return ROOT / "build" / target
