"""What the supervisor loads before it forks."""

import subprocess
import sys

import pytest

PROGRAM = """
import gc, os, sys
from namewarden.process import load
load.for_hub()
load.for_resolver()
assert gc.isenabled() and "rich" not in sys.modules
import rich
from namewarden.process.pipeline import labels
assert labels() is labels()
print(sorted({name.partition(".")[0] for name in sys.modules} & {"duckdb", "fastapi", "argon2", "uvicorn"}))
"""


def test_it_has_what_children_share_and_nothing_that_is_the_hubs_alone():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_it_starts_no_thread_that_stays():
    program = PROGRAM + 'import time; time.sleep(0.5); print(len(os.listdir("/proc/self/task")))'
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "1"
