"""A disk that others filled: DNS answers, rules act, one line says it, one that it is over."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.product import ROOT

NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")


def test_a_full_disk_stops_the_log_alone(tmp_path: Path) -> None:
    trial = ["mount", "-t", "tmpfs", "none", str(tmp_path)]
    if subprocess.run([*NAMESPACE, *trial], capture_output=True).returncode:
        pytest.skip("this system lets nobody mount a disk of his own")
    command = [*NAMESPACE, sys.executable, "-m", "tests.faults.full_disk", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
