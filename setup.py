"""The one thing pyproject.toml cannot notify: a C helper that may be missing (its Python twin then serves)."""

from pathlib import Path

from setuptools import Extension, setup

SOURCES = sorted(str(path) for path in Path("src/namewarden/net").glob("*.c"))

setup(
    ext_modules=[Extension("namewarden.net._mmsg", SOURCES, optional=True)] if SOURCES else [],
)
