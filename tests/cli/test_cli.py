"""The commands together: which there are, which version, what a closed pipe does."""

import os
import subprocess
import sys
from pathlib import Path

from tests.cli.saying import said

SOURCE = Path(__file__).parents[2] / "src"
ROOMS = ("duckdb", "fastapi", "httpx", "keras", "numpy", "onnxruntime", "rich.progress", "uvloop")


def test_the_version():
    assert said("--version", status=0).startswith("namewarden ")


def run(*command: str, cwd: Path | None = None) -> str:
    """Standard output and error of a command that succeeds."""
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}
    return subprocess.run(
        command, env=environment, text=True, timeout=60, check=True, cwd=cwd,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ).stdout  # fmt: skip


def test_help_loads_no_room():
    """Commands answer at once: what one needs is imported by that one."""
    script = (
        "import sys; from namewarden.cli import app; app(['--help'], standalone_mode=False); "
        f"print('loaded', [room for room in {ROOMS} if room in sys.modules])"
    )
    told = run(sys.executable, "-c", script)
    assert "healthcheck" in told and told.endswith("loaded []\n")


def test_who_stops_reading_is_no_error(tmp_path):
    (tmp_path / "names").write_text("example.org\n" * 30_000)
    told = run("sh", "-c", f"{sys.executable} -m namewarden score names | head -1", cwd=tmp_path)
    assert told.startswith("example.org\t") and told.count("\n") == 1


def test_names_that_the_terminal_cannot_show_end_nothing(tmp_path):
    """`score` writes UTF-8, as it reads; who explains escapes."""
    (tmp_path / "names").write_text("\u4f8b.example.org\n", encoding="utf-8")
    latin = f"env PYTHONIOENCODING=latin-1 {sys.executable} -m namewarden"
    told = run("sh", "-c", f"{latin} score names", cwd=tmp_path)
    assert told.startswith("\u4f8b.example.org\t0")
    told = run("sh", "-c", f"{latin} explain example.org 2>&1", cwd=tmp_path)
    assert "\\u2588" in told or "\\u2591" in told
