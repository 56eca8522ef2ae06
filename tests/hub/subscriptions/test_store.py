"""A copy is whole or is not there, and what is known of it is of that very file."""

import os

from namewarden.hub.subscriptions import store
from namewarden.hub.subscriptions.store import Asked, Copy, Subscription

WANTED = Subscription("malware", "https://me:s3cret@lists.example.org/list?key=k", True)


def kept(folder, text=b"bad.example.net\n"):
    part = store.part_of(folder, "malware")
    part.write_bytes(text)
    known = Copy(store.source_of(WANTED), 5.0, '"1"', "yesterday", "d1", len(text))
    return store.keep(folder, "malware", known, part)


def test_a_copy_and_what_is_known_of_it(tmp_path):
    assert store.read(tmp_path, "malware") is None
    copy = kept(tmp_path)
    assert store.read(tmp_path, "malware") == copy
    assert store.asked(WANTED, copy) == Asked(WANTED.url, True, '"1"', "yesterday", "d1")
    assert store.path_of(tmp_path, "malware").read_bytes() == b"bad.example.net\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["malware.json", "malware.list"]
    assert all(b"s3cret" not in path.read_bytes() for path in tmp_path.iterdir())


def test_that_the_server_has_the_same_touches_no_copy(tmp_path):
    copy = kept(tmp_path)
    before = store.path_of(tmp_path, "malware").stat()
    later = store.keep(tmp_path, "malware", Copy(copy.source, 9.0, '"1"', size=copy.size))
    assert store.path_of(tmp_path, "malware").stat() == before
    assert store.read(tmp_path, "malware") == later and later.time == 9.0


def test_what_is_known_of_another_file_is_not_believed(tmp_path):
    kept(tmp_path)
    path = store.path_of(tmp_path, "malware")
    path.write_bytes(b"odd.example.net\n")
    os.utime(path, (7.0, 7.0))
    assert store.read(tmp_path, "malware") == Copy(time=7.0, size=16)
    kept(tmp_path)
    (tmp_path / "malware.json").write_bytes(b"{")
    found = store.read(tmp_path, "malware")
    assert found is not None and found.etag == "" and found.digest == ""


def test_what_came_from_another_url_is_no_reason_to_say_unchanged(tmp_path):
    copy = kept(tmp_path)
    other = Subscription("malware", "https://lists.example.org/other")
    assert store.asked(other, copy) == Asked(other.url)


def test_what_cannot_be_removed_stays(tmp_path):
    (tmp_path / "malware.list").mkdir()
    kept_beside = tmp_path / "malware.json"
    kept_beside.write_bytes(b"{}")
    store.forget(tmp_path, "malware")
    assert (tmp_path / "malware.list").is_dir() and not kept_beside.exists()


def test_what_nobody_wants_any_more_goes(tmp_path):
    kept(tmp_path)
    for name in ("gone.list", "gone.json", "malware.1.part", "malware.1.unzipped", "malware.new"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    store.tidy(tmp_path, ["malware"])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder", "malware.json", "malware.list"]
