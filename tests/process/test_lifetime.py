"""How a process of ours begins: what it says when something is wrong."""

import re
import subprocess
import sys

FAULT = """
import structlog
from namewarden.process.lifetime import log_plainly
log_plainly()
password = "open sesame"
try:
    raise ValueError("why")
except ValueError:
    structlog.get_logger("guard").exception("fault", name="x.test.")
"""


def test_a_fault_is_told_on_standard_error_without_what_was_at_hand():
    done = subprocess.run([sys.executable, "-c", FAULT], capture_output=True, text=True, timeout=60)
    assert done.stdout == "" and "ValueError: why" in done.stderr and "x.test." in done.stderr
    assert "sesame" not in done.stderr


SAID = """
import logging, structlog
from namewarden.process.lifetime import log_plainly
from namewarden.process.terminal import say
log_plainly()
say("ready")
structlog.get_logger("upstream").warning("it answers again", server="192.0.2.1:53", times=2)
logging.getLogger("asyncio").warning("socket.send() raised exception.")
"""


def test_whoever_speaks_says_it_in_one_form():
    done = subprocess.run([sys.executable, "-c", SAID], capture_output=True, text=True, timeout=60)
    stamp = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d ")
    assert [stamp.sub("", line, 1) for line in done.stderr.splitlines()] == [
        "ready",
        "it answers again (server=192.0.2.1:53, times=2)",
        "asyncio: socket.send() raised exception.",
    ]
    assert all(map(stamp.match, done.stderr.splitlines()))
