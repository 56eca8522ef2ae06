"""C helpers at an installation: optional as a rule, needed where NAMEWARDEN_REQUIRE_C=1 says so."""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULE = """
#include <Python.h>
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_helper", NULL, -1, NULL, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit__helper(void) { %s return PyModule_Create(&module); }
"""


def built(folder: Path, code: str, **environ: str) -> tuple[int, int]:
    """The exit status, and how many helpers came of it."""
    source = folder / "src" / "namewarden" / "net"
    source.mkdir(parents=True, exist_ok=True)
    (source / "_helper.c").write_text(code)
    shutil.copy(ROOT / "setup.py", folder)
    plain = {k: v for k, v in os.environ.items() if k not in ("NAMEWARDEN_REQUIRE_C", "CC")}
    done = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "--build-lib", "made"],
        cwd=folder,
        env={**plain, **environ},
        capture_output=True,
        timeout=60,
    )
    return done.returncode, len(list(folder.glob("made/**/_helper.*so")))


@pytest.mark.parametrize(
    ("code", "environ"),
    [(MODULE % "", {"CC": "/bin/false"}), (MODULE % "no C", {})],
    ids=["no compiler", "wrong source"],
)
def test_what_does_not_compile_is_left_out_or_an_error(tmp_path, code, environ):
    assert built(tmp_path, code, **environ) == (0, 0)
    status, helpers = built(tmp_path, code, NAMEWARDEN_REQUIRE_C="1", **environ)
    assert status != 0 and helpers == 0


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
def test_warnings_are_errors_where_helpers_are_needed(tmp_path):
    code = MODULE % "int unused = 1;"
    assert built(tmp_path / "a", code) == (0, 1)
    status, helpers = built(tmp_path / "b", code, NAMEWARDEN_REQUIRE_C="1")
    assert status != 0 and helpers == 0
    assert built(tmp_path / "c", MODULE % "", NAMEWARDEN_REQUIRE_C="1") == (0, 1)


def test_a_source_archive_has_what_helpers_include(tmp_path):
    for room, name in (("net", "_helper.c"), ("policy", "_helper.h")):
        folder = tmp_path / "src" / "namewarden" / room
        folder.mkdir(parents=True)
        (folder / name).write_text("")
    shutil.copy(ROOT / "setup.py", tmp_path)
    command = [sys.executable, "setup.py", "-q", "sdist"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=True)
    [archive] = tmp_path.glob("dist/*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {Path(name).name for name in opened.getnames()}
    assert {"_helper.c", "_helper.h"} <= names
