"""The hub publishes before it loads what nobody waits for."""

import subprocess
import sys


def test_what_only_the_api_needs_is_not_loaded_with_the_hub():
    code = "import sys, namewarden.process.hub; print({'fastapi', 'uvicorn', 'duckdb'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
