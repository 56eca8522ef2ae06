"""What pyproject.toml cannot say: C helpers (`src/namewarden/*/_*.c`) may be missing; their Python twins serve then.

NAMEWARDEN_REQUIRE_C=1 makes a failed compile an error, warnings too: CI and wheels set it.
"""

import os
from pathlib import Path

from setuptools import Extension, setup

REQUIRED = os.environ.get("NAMEWARDEN_REQUIRE_C") == "1"
HEADERS = sorted(map(str, Path("src/namewarden").glob("*/_*.h")))  # go into the source archive, too
FLAGS = ["-O2", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-missing-field-initializers"]


def extension(source: Path) -> Extension:
    module = ".".join(source.with_suffix("").parts[1:])
    flags = [*FLAGS, "-Werror"] if REQUIRED else FLAGS
    return Extension(
        module, [str(source)], depends=HEADERS, extra_compile_args=flags, optional=not REQUIRED
    )


setup(ext_modules=[extension(path) for path in sorted(Path("src/namewarden").glob("*/_*.c"))])
