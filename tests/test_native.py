"""C helpers: found where they are, silent where they are not, told where they are broken."""

import sys
from importlib.machinery import EXTENSION_SUFFIXES

from structlog.testing import capture_logs

from namewarden import native


def test_a_missing_helper_is_nothing_to_tell() -> None:
    with capture_logs() as told:
        assert native.load("namewarden.net._nothing", {}) is None
    assert told == []


def test_a_helper_that_does_not_load_is_told(tmp_path, monkeypatch) -> None:
    (tmp_path / f"_broken_helper{EXTENSION_SUFFIXES[0]}").write_bytes(b"not a shared object")
    monkeypatch.syspath_prepend(str(tmp_path))
    with capture_logs() as told:
        assert native.load("_broken_helper", {}) is None
    assert told[0]["helper"] == "_broken_helper"
    assert "_broken_helper" not in sys.modules


def test_python_serves_where_it_is_wished() -> None:
    assert native.load("namewarden.net._mmsg", {"NAMEWARDEN_PURE": "1"}) is None
