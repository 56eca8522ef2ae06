"""What the supervisor loads before it forks, so that its children share it: modules and tables, but no thread."""

import gc
import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

COMMON = ("structlog", "uvloop", "numpy", "namewarden.process.lifetime", "namewarden.events.batch")


def for_hub() -> None:
    """What the resolvers need too. The rest is the hub's alone, and it loads that while others load theirs."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # its threads would be there in no child
    with (
        no_collection(),
        _without("rich"),
    ):  # structlog loads it for coloured traces; ours are plain
        for name in COMMON:
            importlib.import_module(name)
        from namewarden.process.lifetime import log_plainly
    log_plainly()


def for_resolver() -> None:
    with no_collection():
        from namewarden import native
        from namewarden.detector.model import ModelError
        from namewarden.process import pipeline, resolver
        from namewarden.stages.special import public_tlds

        assert resolver
        pipeline.labels()
        if native.load(
            "namewarden.detector._forward"
        ):  # else ONNX Runtime serves, which has threads
            with suppress(ModelError):  # the child will say it
                pipeline.packaged()
        public_tlds()


@contextmanager
def no_collection() -> Iterator[None]:
    """Of what is loaded nothing is garbage."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def _without(name: str) -> Iterator[None]:
    """To who imports it now, the module `name` is not installed."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]
