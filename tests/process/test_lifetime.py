"""How a process of ours begins: what it says when something is wrong."""

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
