"""C helpers, loaded where they were built. Each has a Python twin that gives the same answers and serves without it."""

import importlib
import importlib.util
import os
from collections.abc import Mapping
from types import ModuleType


def load(name: str, environ: Mapping[str, str] = os.environ) -> ModuleType | None:
    """The helper `name`, None where it was not built or NAMEWARDEN_PURE=1. One that is there and broken is told."""
    if environ.get("NAMEWARDEN_PURE") == "1" or importlib.util.find_spec(name) is None:
        return None
    try:
        return importlib.import_module(name)
    except ImportError as error:
        import structlog  # what a command without a log need not load

        structlog.get_logger("native").warning(
            "a C helper cannot be loaded, its Python twin serves", helper=name, problem=str(error)
        )
        return None
