"""The state folder: private, made once, and for one supervisor."""

import stat

import pytest

from namewarden.process.paths import StartError, only_one, prepare


def test_everything_is_private_and_the_secret_stays(tmp_path):
    paths = prepare(tmp_path / "var")
    secret = paths.secret.read_bytes()
    assert len(secret) == 32 and prepare(tmp_path / "var").secret.read_bytes() == secret
    assert stat.S_IMODE(paths.secret.stat().st_mode) == 0o600
    for folder in (paths.root, paths.events, paths.snapshots, paths.lists):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_second_supervisor_is_told_of_the_first(tmp_path):
    paths = prepare(tmp_path / "var")
    with only_one(paths), pytest.raises(StartError, match="another Namewarden"), only_one(paths):
        pass
    with only_one(paths):
        pass


def test_a_folder_that_cannot_be_is_said_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match="data_dir must be a folder"):
        prepare(tmp_path / "file" / "var")


def test_a_lock_that_cannot_be_opened_is_said_so(tmp_path):
    paths = prepare(tmp_path / "var")
    paths.lock.mkdir()
    with (
        pytest.raises(StartError, match="lock: Is a directory; data_dir must be"),
        only_one(paths),
    ):
        pass
