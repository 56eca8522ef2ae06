"""A snapshot is written whole or not at all; a bad list leaves its last good copy; what is no list is cheap."""

import json
import os
import subprocess
import sys

import msgspec
import pytest

from namewarden.policy.broad import Popular
from namewarden.policy.compile import compile_snapshot
from namewarden.policy.errors import ListError
from namewarden.policy.scan import Scan
from namewarden.policy.snapshot import Snapshot
from namewarden.policy.source import LIMIT, load
from namewarden.policy.spec import ListSpec, SnapshotSpec
from tests.policy.made import SECRET, said, snapshot_of, spec_of
from tests.shared_data import shared


def test_the_report_counts_what_became_of_the_lines(tmp_path):
    text = "! c\n||a.test^\n||b.test^$script\n198.51.100.7:443\n\n0.0.0.0 c.test\n"
    report = snapshot_of(tmp_path, {"mixed": text}).report[0]
    assert (report.lines, report.rules, report.error) == (6, 2, "")
    assert report.skipped == {"address": 1, "blank": 1, "comment": 1, "option": 1}


def again(folder, spec, previous, **more):
    return compile_snapshot(spec, SECRET, folder / "next.snap", previous=previous, **more)


def make_fifo(path):
    path.unlink()
    os.mkfifo(path)


def make_folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("damage", "error"),
    [
        (lambda path: path.unlink(), "No such file"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(b" \n\n"), "is empty"),
        (lambda path: path.write_bytes(b"Not found!\n"), "no line that is a rule"),
        (lambda path: path.write_bytes(b"\x7fELF\0\0" + b"bad.example\n" * 99), "is binary"),
        (lambda path: path.write_bytes(b"\x1f\x8b\x08\x01\x02\x03\x04\x05" * 100), "is binary"),
        (lambda path: path.write_bytes("bad.example\n".encode("utf-16")), "is binary"),
        (lambda path: path.write_bytes(b"<!DOCTYPE html><html>\n"), "web page"),
        (lambda path: path.write_bytes(b"bad.example\n" * 20_000), "too large"),
        (make_folder, "not a regular file|directory"),
        (make_fifo, "not a regular file"),
    ],
)
def test_a_list_that_went_bad_leaves_its_last_good_copy(tmp_path, damage, error):
    spec = spec_of(tmp_path, {"a": "bad.example\n", "b": "worse.example\n"})
    first = compile_snapshot(spec, SECRET, tmp_path / "first.snap")
    damage(tmp_path / "a.txt")
    second = again(tmp_path, spec, first, limit=100_000)
    assert said(second, "bad.example.") == ["a:1 bad.example"]
    assert said(second, "worse.example.") == ["b:1 worse.example"]
    assert second.report[0].stale
    assert not second.report[1].stale
    with pytest.raises(ListError, match=error):
        raise ListError(second.report[0].error)
    third = again(tmp_path, spec, second, limit=100_000)
    assert said(third, "bad.example.") == ["a:1 bad.example"]
    assert third.report == second.report


@pytest.mark.parametrize(
    "text",
    ["# nothing today\n", "! Title: none\n[Adblock Plus]\n\n", "@ SOA a. b. 1 1 1 1 1\n@ NS a.\n"],
)
def test_a_list_without_a_single_rule_may_be_meant(tmp_path, text):
    spec = spec_of(tmp_path, {"a": "bad.example\n", "b": "worse.example\n"})
    first = compile_snapshot(spec, SECRET, tmp_path / "first.snap")
    (tmp_path / "a.txt").write_text(text)
    second = again(tmp_path, spec, first)
    assert (second.report[0].error, second.report[0].rules, second.report[0].stale) == (
        "",
        0,
        False,
    )
    assert said(second, "bad.example.") == []
    assert said(second, "worse.example.") == ["b:1 worse.example"]


def test_a_list_that_never_was_good_is_reported(tmp_path):
    spec = SnapshotSpec(lists=(ListSpec("gone", str(tmp_path / "gone")),))
    snapshot = compile_snapshot(spec, SECRET, tmp_path / "policy.snap")
    assert "No such file" in snapshot.report[0].error
    assert not snapshot.report[0].stale
    assert snapshot.find("bad.example.") == []


def test_three_hundred_megabytes_are_refused_unread(tmp_path):
    path = tmp_path / "big.txt"
    with path.open("wb") as file:
        file.truncate(300 * 1024 * 1024)
    with pytest.raises(ListError, match="too large"):
        load(path)
    assert LIMIT < path.stat().st_size


def test_what_changes_beside_the_lists_copies_them(tmp_path):
    spec = spec_of(tmp_path, {"a": "bad.example\n", "guard:g": "example.org\n"})
    first = compile_snapshot(spec, SECRET, tmp_path / "first.snap", generation=1)
    tokens = ("0" * 64,)
    second = again(
        tmp_path, msgspec.structs.replace(spec, token_hashes=tokens), first, generation=2
    )
    assert bytes(second.blob()) == bytes(first.blob())
    assert (second.generation, second.spec.token_hashes) == (2, tokens)
    (tmp_path / "a.txt").write_text("other.example\n")
    third = again(tmp_path, spec, second)
    assert said(third, "other.example.") == ["a:1 other.example"]
    assert said(third, "bad.example.") == []


@pytest.mark.parametrize("text", ["bad.example\n", "bad.example\nworse.example\n"])
def test_what_was_compiled_with_another_secret_is_not_used_again(tmp_path, text):
    spec = spec_of(tmp_path, {"a": "bad.example\n", "b": text})
    first = compile_snapshot(spec, SECRET, tmp_path / "first.snap")
    (tmp_path / "b.txt").write_text("bad.example\n")
    other = compile_snapshot(spec, bytes(32), tmp_path / "other.snap", previous=first)
    assert said(other, "bad.example.") == ["a:1 bad.example", "b:1 bad.example"]


def test_kind_format_and_order_are_part_of_what_is_compiled(tmp_path):
    spec = spec_of(tmp_path, {"a": "bad.example\n", "b": "bad.example\n"})
    first = compile_snapshot(spec, SECRET, tmp_path / "first.snap")
    turned = msgspec.structs.replace(spec, lists=spec.lists[::-1])
    assert said(again(tmp_path, turned, first), "bad.example.")[0] == "b:1 bad.example"


def test_an_unwritable_folder_is_a_list_error(tmp_path):
    with pytest.raises(ListError, match="cannot be written"):
        compile_snapshot(SnapshotSpec(), SECRET, tmp_path / "no" / "policy.snap")
    assert list(tmp_path.iterdir()) == []


def test_no_lists_at_all(tmp_path):
    snapshot = compile_snapshot(SnapshotSpec(), SECRET, tmp_path / "policy.snap")
    assert snapshot.find("bad.example.") == []
    assert not snapshot.is_guarded("bad.example.")


def test_as_a_child_process(tmp_path):
    spec = spec_of(tmp_path, {"a": "bad.example\nnonsense!\n"})
    (tmp_path / "spec.json").write_bytes(msgspec.json.encode(spec))
    (tmp_path / "secret").write_bytes(SECRET)
    command = [sys.executable, "-m", "namewarden.policy.compile", str(tmp_path / "spec.json")]
    tail = ["--secret", str(tmp_path / "secret"), "--generation", "7"]
    out = tmp_path / "policy-7.snap"
    done = subprocess.run([*command, str(out), *tail], capture_output=True, timeout=60, check=True)
    assert json.loads(done.stdout)[0]["skipped"] == {"name": 1}
    snapshot = Snapshot.open(out, SECRET)
    assert (snapshot.generation, said(snapshot, "bad.example.")) == (7, ["a:1 bad.example"])
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    done = subprocess.run(
        [*command, "/proc/none/x", *tail], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert b"cannot be written" in done.stderr
    again = [*command, str(tmp_path / "policy-8.snap"), *tail, "--remove", str(out)]
    subprocess.run(again, capture_output=True, timeout=60, check=True)
    assert [path.name for path in tmp_path.glob("*.snap")] == ["policy-8.snap"]


SAMPLES = {  # file: (lines that are rules, a name it denies, a name it does not)
    "adblock_adguard_sdn_filter_2019.txt": (27506, "www.ntjcrsfvszoen.com.", "example.org."),
    "bind_zones_oznu_2021_first30k.conf": (29999, "www.s.sh.", "example.org."),
    "dnsmasq_hagezi_adaway_2022.conf": (4456, "x.a8.net.", "example.org."),
    "domains_blackbook_2024.txt": (18151, "werdotx.shop.", "www.werdotx.shop."),
    "hosts_stevenblack_2019.hosts": (55981, "1493361689.rsc.cdn77.org.", "localhost."),
    "maltrail_emotet_2026.txt": (232, "dvr.petcp.com.", "x.dvr.petcp.com."),
    "regex_abused_tld_2023.txt": (67, "", "example.org."),
    "routedns_malicious-ip_2026_first30k.txt": (30000, "165.164.0.1.in-addr.arpa.", "example.org."),
    "rpz_macos_2018.db": (200, "bing.com.", "example.org."),
    "rpz_small_2015.db": (24, "x.ask.com.", "ask.com."),
    "rpz_ubuntu_2026.db": (332, "www.tiktok.com.", "example.org."),
    "unbound_hagezi_personal_2022.conf": (9671, "x.01c54544-2.we-stats.com.", "example.org."),
    "unbound_oznu_2021_first30k.conf": (29999, "x.dragonsknot.com.", "example.org."),
    "wildcard_hagezi_light_2022_first30k.txt": (29990, "api.tinypass.com.", "tinypass.com."),
}


def test_every_sample_compiles(tmp_path):
    paths = sorted(path for path in shared("blocklist_formats").iterdir() if path.is_file())
    spec = SnapshotSpec(lists=tuple(ListSpec(path.name, str(path)) for path in paths))
    snapshot = compile_snapshot(spec, SECRET, tmp_path / "policy.snap")
    ranks = {report.name: rank for rank, report in enumerate(snapshot.report)}
    for report in snapshot.report:
        assert report.error == ""
        assert report.lines == report.rules + sum(report.skipped.values())
        assert report.rules > 0
    for name, (rules, denied, passed) in SAMPLES.items():
        assert snapshot.report[ranks[name]].rules == rules, name
        assert not denied or ranks[name] in {hit.list for hit in snapshot.find(denied)}, name
        assert ranks[name] not in {hit.list for hit in snapshot.find(passed)}, name
    assert len(snapshot.patterns()) >= 67


MIXED = {
    "plain": "a.test\n0.0.0.0 b.test\n||c.test^\n*.d.test\n",
    "allow:let": "@@||ok.c.test^\nb.test\n",
    "adblock": "||ads*.example.net^\n||e.test^$dnstype=AAAA\n/^track[0-9]+/\n||f.test^$client=192.0.2.7\n",
    "rpz": "$ORIGIN rpz.test.\n@ SOA a. b. 1 1 1 1 1\n*.g.test CNAME .\nx.y.g.test A 192.0.2.1\n"
    "32.1.2.0.192.rpz-ip CNAME .\n24.0.2.0.192.rpz-client-ip CNAME .\nns.h.test.rpz-nsdname CNAME .\n",
    "guard:known": "example.org\n",
}
ASKED = ("a.test.", "b.test.", "ok.c.test.", "x.c.test.", "d.test.", "ads1.example.net.", "e.test.", "track7.test.",
         "f.test.", "y.g.test.", "x.y.g.test.", "z.g.test.", "new.test.")  # fmt: skip


def all_that(snapshot):
    """Look-ups and what is around them."""
    triggered = [snapshot.triggered(kind, ["192.0.2.1"]) for kind in ("ip", "client-ip")]
    servers = snapshot.triggered_by_servers(["ns.h.test."])
    return (
        [said(snapshot, name) for name in ASKED],
        [snapshot.line(hit) for hits in (*triggered, servers, snapshot.patterns()) for hit in hits],
        snapshot.is_guarded("example.org."),
        snapshot.report,
        snapshot.meta.blob,
        bytes(snapshot.blob()),
    )


@pytest.mark.parametrize("changed", list(MIXED))
@pytest.mark.parametrize("turn", [False, True])
def test_what_is_kept_of_other_lists_is_what_would_be_compiled(tmp_path, changed, turn):
    spec = spec_of(tmp_path, MIXED)
    first = compile_snapshot(spec, SECRET, tmp_path / "first.snap")
    name = changed.rpartition(":")[2]
    with (tmp_path / f"{name}.txt").open("a") as file:
        file.write("new.test\n")
    if turn:
        spec = msgspec.structs.replace(spec, lists=spec.lists[::-1])
    assert all_that(again(tmp_path, spec, first)) == all_that(
        compile_snapshot(spec, SECRET, tmp_path / "anew.snap")
    )


def test_one_list_changed_reads_that_one_alone(tmp_path, monkeypatch):
    spec = spec_of(tmp_path, {"a": "bad.example\n", "b": "worse.example\n", "c": "gone.example\n"})
    first = compile_snapshot(spec, SECRET, tmp_path / "first.snap")
    (tmp_path / "b.txt").write_text("worst.example\n")
    (tmp_path / "c.txt").unlink()
    read = []
    monkeypatch.setattr(Scan, "read", recording(Scan.read, read))
    second = again(tmp_path, spec, first)
    assert read == [b"worst.example\n"]
    assert said(second, "gone.example.") == ["c:1 gone.example"]
    assert again(tmp_path, msgspec.structs.replace(spec, lists=spec.lists[:2]), second).report
    assert read == [b"worst.example\n"]


def recording(read, seen):
    def recorded(self, data):
        seen.append(data)
        return read(self, data)

    return recorded


@pytest.mark.parametrize(
    "more", [{"popular": Popular(["a.test"] * 200)}, {"kind": "allow"}, {"broad": True}]
)
def test_what_reads_a_list_otherwise_reads_it_anew(tmp_path, more):
    spec = spec_of(tmp_path, {"a": "||test^\na.test\n"})
    first = compile_snapshot(spec, SECRET, tmp_path / "first.snap")
    kind = {key: value for key, value in more.items() if key != "popular"}
    popular = more.get("popular")
    one = msgspec.structs.replace(spec.lists[0], **kind)
    spec = msgspec.structs.replace(spec, lists=(one,))
    second = again(tmp_path, spec, first, popular=popular)
    anew = compile_snapshot(spec, SECRET, tmp_path / "anew.snap", popular=popular)
    assert all_that(second) == all_that(anew)
