"""What a snapshot finds agrees with a naive reading of the same lines; broken files are refused, never fatal."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namewarden.policy import layout
from namewarden.policy.errors import ListError
from namewarden.policy.reader import Reader
from namewarden.policy.rpz import zone_of
from namewarden.policy.snapshot import Snapshot, shown
from tests.policy.made import SECRET, said, snapshot_of

LABELS = st.sampled_from(["a", "b", "c-1", "_x", "www", "1"])
NAMES = st.lists(LABELS, min_size=1, max_size=5).map(lambda labels: ".".join([*labels, "test"]))
WRITTEN = st.tuples(
    st.sampled_from(
        ["{}", "{} # why", "0.0.0.0 {}", "||{}^", "@@||{}^", "*.{}", ".{}", "address=/{}/#", "server=/{}/",
         'local-zone: "{}." always_null', 'zone "{}" {{ type master; file "x"; }};', "{}.", "{}:80", "||{}^$script"]
    ),
    NAMES,
).map(lambda pair: pair[0].format(pair[1]))  # fmt: skip
LISTS = st.lists(st.lists(WRITTEN, min_size=1, max_size=12), min_size=1, max_size=3)


def naive(lists, name):
    """(rank, line number, match, effect) of every line that speaks about the name."""
    found = set()
    for rank, lines in enumerate(lists):
        reader = Reader("auto")
        for number, line in enumerate(lines, 1):
            reading = reader.read(line)
            for rule in () if isinstance(reading, str) else reading:
                is_itself, is_below = rule.name == name, name.endswith("." + rule.name)
                if (rule.match != "below" and is_itself) or (rule.match != "exact" and is_below):
                    found.add((rank, number, rule.name, rule.match, rule.effect))
    return found


def compiled(snapshot, name):
    found = set()
    matches = {code: match for match, code in layout.MATCHES.items()}
    for hit in snapshot.find(name):
        number = int(snapshot.line(hit).partition(":")[2].partition(" ")[0])
        labels = name[:-1].split(".")
        suffix = ".".join(labels[len(labels) - hit.depth :]) + "."
        effect = "allow" if hit.effect == layout.ALLOW else "own"
        found.add((hit.list, number, suffix, matches[hit.match], effect))
    return found


def without_repeats(found):
    """Of lines that say the same in one list, the first stays."""
    first: dict[tuple[object, ...], int] = {}
    for rank, number, *rest in found:
        key = (rank, *rest)
        first[key] = min(number, first.get(key, number))
    return {(key[0], number, *key[1:]) for key, number in first.items()}


@given(lists=LISTS, asked=st.lists(NAMES, min_size=1, max_size=10))
def test_find_agrees_with_a_naive_reading(tmp_path_factory, lists, asked):
    folder = tmp_path_factory.mktemp("find")
    texts = {f"l{rank}": "\n".join(lines) for rank, lines in enumerate(lists)}
    snapshot = snapshot_of(folder, texts)
    listed = [line.split()[-1].strip("|^*.#@") for lines in lists for line in lines]
    for name in asked + [f"x.{name}" for name in asked] + [n for n in listed if n.endswith("test")]:
        wanted = without_repeats(naive(lists, f"{name}."))
        assert compiled(snapshot, f"{name}.") == wanted


def test_ten_thousand_names_and_as_many_that_are_not_listed(tmp_path):
    dice = random.Random(7)
    names = ["".join(dice.choices("abcdef0123", k=dice.randint(3, 12))) for _ in range(10_000)]
    snapshot = snapshot_of(tmp_path, {"big": "\n".join(f"{n}.test" for n in names)})
    assert all(snapshot.find(f"{name}.test.") for name in names)
    assert not any(snapshot.find(f"{name}z.test.") for name in names)
    assert not any(snapshot.find(f"z.{name}.test.") for name in names)


def test_a_hit_shows_list_number_and_line(tmp_path):
    text = "# head\n\n||bad.example^\r\n" + "#\n" * 5000 + "0.0.0.0 WORSE.example # a <b>\u00e9\n"
    snapshot = snapshot_of(tmp_path, {"malware": text})
    assert said(snapshot, "www.bad.example.") == ["malware:3 ||bad.example^"]
    assert said(snapshot, "worse.example.") == [
        r"malware:5004 0.0.0.0 WORSE.example # a <b>\195\169"
    ]


def test_names_that_their_line_does_not_spell(tmp_path):
    snapshot = snapshot_of(tmp_path, {"idn": "bücher.example\n*.straße.example\n"})
    assert said(snapshot, "xn--bcher-kva.example.") == [r"idn:1 b\195\188cher.example"]
    assert len(said(snapshot, "www.xn--strae-oqa.example.")) == 1
    assert len(said(snapshot, "xn--strae-oqa.example.")) == 1
    assert said(snapshot, "x.xn--bcher-kva.example.") == []


EMPTY = """$ORIGIN rpz.test.
@ SOA a. b. 1 2 3 4 5
*.bad.example CNAME .
a.b.bad.example CNAME rpz-passthru.
*.w.x.bad.example CNAME .
d.e.BAD.example A 192.0.2.1
$ORIGIN y.bad.example.rpz.test.
g.f CNAME .
*.sub.example CNAME .
"""
ENVIRONS = [{}, {"NAMEWARDEN_PURE": "1"}]


@pytest.mark.parametrize("environ", ENVIRONS, ids=["helper", "plain"])
@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("z.bad.example.", 3),
        ("a.b.bad.example.", 4),
        ("b.bad.example.", 0),  # empty: it is there because something is below it
        ("z.b.bad.example.", 0),  # below what is there, and there is no wildcard
        ("x.bad.example.", 0),
        ("w.x.bad.example.", 0),  # its wildcard is for what is below
        ("z.w.x.bad.example.", 5),
        ("z.x.bad.example.", 0),
        ("e.bad.example.", 0),
        ("z.e.bad.example.", 0),
        ("d.e.bad.example.", 6),
        ("f.y.bad.example.", 0),
        ("g.f.y.bad.example.", 8),
        ("z.y.bad.example.", 0),
        ("other.example.", 0),
    ],
)
def test_what_is_below_an_owner_ends_the_reach_of_wildcards(tmp_path, name, number, environ):
    path = snapshot_of(tmp_path, {"z": EMPTY}).path
    hits = Snapshot.open(path, SECRET, environ)
    found = [hits.line(hit).partition(" ")[0] for hit in hits.find(name)]
    assert found == ([f"z:{number}"] if number else [])


def test_a_wildcard_for_everything_ends_at_every_owner(tmp_path):
    zone = "$ORIGIN rpz.test.\n* CNAME .\nwww.good.example CNAME rpz-passthru.\n"
    snapshot = snapshot_of(tmp_path, {"z": zone})
    assert said(snapshot, "example.") == said(snapshot, "x.good.example.") == []
    assert len(said(snapshot, "net.")) == len(said(snapshot, "x.net.")) == 1


def test_an_escaped_dot_does_not_reach_a_listed_parent(tmp_path):
    snapshot = snapshot_of(tmp_path, {"l": "||bad.example^\n"})
    assert said(snapshot, r"www\046bad.example.") == []
    assert len(said(snapshot, r"a\000b.bad.example.")) == 1


def test_the_deepest_names(tmp_path):
    deep = ".".join("a" * 126)
    snapshot = snapshot_of(tmp_path, {"l": f"{deep}\n*.{deep[2:]}\n||test^\n"})
    lines = [f"l:1 {deep}", f"l:2 *.{deep[2:]}"]
    assert [line[:100] for line in said(snapshot, f"{deep}.")] == [line[:100] for line in lines]
    assert len(said(snapshot, f"{deep[:-4]}.test.")) == 1


def test_zones_match_as_dns_does(tmp_path):
    text = (
        "$ORIGIN rpz.test.\n*.w.test CNAME .\na.w.test CNAME *.\n*.deep.w.test CNAME rpz-drop.\n"
        "ok.w.test CNAME rpz-passthru.\nx.test.rpz.test. CNAME .\n"
    )
    snapshot = snapshot_of(tmp_path, {"zone": text})
    effects = {
        name: [hit.effect for hit in snapshot.find(name)]
        for name in ("w.test.", "b.w.test.", "c.b.w.test.", "a.w.test.", "b.a.w.test.",
                     "b.deep.w.test.", "ok.w.test.", "b.ok.w.test.", "x.test.", "y.x.test.")
    }  # fmt: skip
    assert effects == {
        "w.test.": [],
        "b.w.test.": [layout.NXDOMAIN],
        "c.b.w.test.": [layout.NXDOMAIN],
        "a.w.test.": [layout.NODATA],
        "b.a.w.test.": [],  # the closest encloser is a.w.test, and it has no wildcard
        "b.deep.w.test.": [layout.DROP],
        "ok.w.test.": [layout.ALLOW],
        "b.ok.w.test.": [],
        "x.test.": [layout.NXDOMAIN],
        "y.x.test.": [],
    }
    assert zone_of(text.encode()) == "rpz.test."


def test_a_wildcard_for_everything(tmp_path):
    snapshot = snapshot_of(
        tmp_path, {"zone": "$ORIGIN rpz.test.\n* CNAME .\nok.test CNAME rpz-passthru.\n"}
    )
    assert [hit.effect for hit in snapshot.find("any.thing.")] == [layout.NXDOMAIN]
    assert [hit.effect for hit in snapshot.find("ok.test.")] == [layout.ALLOW]


def test_guard_names_are_apart(tmp_path):
    snapshot = snapshot_of(tmp_path, {"guard:popular": "example.org\n", "bad": "www.example.org\n"})
    assert snapshot.is_guarded("example.org.")
    assert not snapshot.is_guarded("www.example.org.")
    assert snapshot.find("example.org.") == []
    assert len(snapshot.find("www.example.org.")) == 1


@pytest.mark.parametrize("damage", ["cut", "longer", "magic", "version", "meta", "empty", "junk"])
def test_a_broken_file_is_refused(tmp_path, damage):
    path = snapshot_of(tmp_path, {"l": "bad.example\n"}).path
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(
        {
            "cut": data[:-1],
            "longer": data + b"x",
            "magic": b"x" + data[1:],
            "version": data[:8] + b"\x09" + data[9:],
            "meta": data[:-9] + b"?" + data[-8:],
            "empty": b"",
            "junk": b"\xff" * 5000,
        }[damage]
    )
    with pytest.raises(ListError):
        Snapshot.open(path, SECRET)


def test_another_installations_snapshot_is_refused(tmp_path):
    path = snapshot_of(tmp_path, {"l": "bad.example\n"}).path
    with pytest.raises(ListError, match="another installation"):
        Snapshot.open(path, bytes(32))
    with pytest.raises(ListError):
        Snapshot.open(tmp_path / "gone", SECRET)


def test_octets_that_turned_in_the_lists_give_no_crash(tmp_path):
    lines = "".join(f"b{n}.example\n" for n in range(200)) + "z.example 60 A 192.0.2.1\n"
    path = snapshot_of(tmp_path, {"l": lines}).path
    data = path.read_bytes()
    names = [f"b{n}.example." for n in range(200)] + ["z.example.", "www.example."]
    length = Snapshot.open(path, SECRET).meta.blob.length
    for seed in range(30):
        dice = random.Random(seed)
        broken = bytearray(data)
        for _ in range(200):
            broken[4096 + dice.randrange(length)] = dice.randrange(256)
        path.unlink()
        path.write_bytes(broken)
        try:
            snapshot = Snapshot.open(path, SECRET)
        except ListError:
            continue
        for name in names:
            said(snapshot, name)


def test_lines_are_shown_without_what_could_harm():
    assert shown(b" a\x1b[31m<b>\tc\r\n") == r"a\027[31m<b>\009c"
    assert len(shown(b"x" * 10_000)) == 200
