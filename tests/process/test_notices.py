"""A file put in place of another is told once; where nobody can tell, that is said."""

import select
import sys

import pytest

from namewarden.process.notices import FolderNotices

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


def is_told(notices):
    return bool(select.select([notices.number], [], [], 0)[0])


def test_a_rename_is_told_and_nothing_else(tmp_path):
    notices = FolderNotices(tmp_path)
    assert notices.start()
    (tmp_path / "new").write_text("x")
    assert not is_told(notices)
    (tmp_path / "new").replace(tmp_path / "current")
    assert is_told(notices)
    notices.take()
    assert not is_told(notices)
    notices.take()
    notices.stop()
    assert notices.number == -1


def test_a_folder_that_is_not_there_is_not_told_of(tmp_path):
    notices = FolderNotices(tmp_path / "gone")
    assert not notices.start() and notices.number == -1
    notices.stop()
