"""The C look-up and its Python twin say the same of every name and every hit, whatever the lists are."""

import ctypes
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namewarden.policy.errors import ListError
from namewarden.policy.snapshot import Snapshot
from tests.policy.made import SECRET, snapshot_of

ZONE = """$ORIGIN rpz.example.
@ 60 SOA a. b. 1 2 3 4 5
bad.example.net CNAME .
*.bad.example.net CNAME *.
good.bad.example.net CNAME rpz-passthru.
drop.example.com CNAME rpz-drop.
local.example.com A 192.0.2.1
"""
LISTS = {
    "plain": "bad.example.net\nwww.BAD.example.org\n\ttabbed.example.com\t \na.b.c.d.e.f.g.example\n",
    "wild": "||bad.example.net^\n*.below.example.org\n||org.example^\n@@||fine.example.net^\n! caf\xe9\n",
    "hosts": "0.0.0.0 bad.example.net # a remark \x01\x7f\n" + "# filler\n" * 3000 + "0.0.0.0 last.example.net",
    "zone": ZONE,
    "allow:good": "fine.example.net\n",
    "guard:popular": "bad.example.net\n",
}  # fmt: skip
LABELS = (
    "bad", "example", "net", "org", "www", "below", "a", "b", "c", "d", "e", "f", "g", "com", "drop", "local", "fine",
    "last", "tabbed", "xn--bcher-kva", "\\000", "x" * 63, "good", "BAD",
)  # fmt: skip


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    made = snapshot_of(tmp_path_factory.mktemp("lists"), LISTS)
    helped, plain = (Snapshot.open(made.path, SECRET, {"NAMEWARDEN_PURE": flag}) for flag in "01")
    if helped.lookup is None:
        pytest.skip("the C helper was not built (no compiler?)")
    assert plain.lookup is None
    return helped, plain


class Found(ctypes.Structure):
    _fields_ = (
        ("rank", ctypes.c_uint32),
        ("depth", ctypes.c_uint32),
        ("offset", ctypes.c_uint64),
    )


class Api(ctypes.Structure):
    _fields_ = (("lookup", ctypes.c_void_p), ("denials", ctypes.c_void_p))


ASK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.POINTER(Found), ctypes.c_int,
)  # fmt: skip


def denied(snapshot, name):
    """What the packet cache's helper is told: ranks of the lists, None for the chain's business."""
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    capsule = snapshot.lookup.api
    api = Api.from_address(pointer(capsule, b"namewarden.policy._lookup.api"))
    hits = (Found * 8)()
    count = ASK(api.denials)(api.lookup, name.encode(), len(name), hits, 8)
    return None if count < 0 else [hit.rank for hit in hits[:count]]


@pytest.mark.parametrize(
    ("name", "ranks"),
    [
        ("a.example.net", [0]),  # the expression below example.net comes after it
        ("b.example.net", None),  # and here before it
        ("c.x.example.net", [1]),  # of one list the longer suffix speaks first
        ("ads1.example.net", None),
        ("other.example.net", None),
        ("d.example.org", None),  # an expression that is for some types only
        ("example.com", []),
        ("e.example.com", [2]),
    ],
)
def test_what_lies_below_an_expression_is_told_where_it_speaks_later(tmp_path, name, ranks):
    lists = {
        "first": "a.example.net\n",
        "second": "||ads*.example.net^\n||x.example.net^\n||ads*.example.org^$dnstype=A\n",
        "third": "b.example.net\nd.example.org\ne.example.com\na.example.net\n",
    }
    made = snapshot_of(tmp_path, lists)
    if made.lookup is None:
        pytest.skip("the C helper was not built (no compiler?)")
    assert denied(made, name) == ranks


names = st.one_of(
    st.lists(st.sampled_from(LABELS), max_size=8).map(lambda labels: ".".join(labels) + "."),
    st.text(alphabet=st.characters(max_codepoint=127), max_size=300).map(lambda text: text + "."),
    st.integers(1, 127).map(lambda count: "a." * count),
)


@given(name=names)
def test_the_twins_find_the_same(twins, name):
    helped, plain = twins
    assert helped.find(name) == plain.find(name)


def test_they_find_something(twins):
    found = {
        name: [hit.list for hit in twins[0].find(name)]
        for name in ("bad.example.net.", "x.below.example.org.", "local.example.com.", "b.org.example.")
    }  # fmt: skip
    assert found == {
        "bad.example.net.": [0, 1, 2, 3], "x.below.example.org.": [1], "local.example.com.": [3], "b.org.example.": [1],
    }  # fmt: skip


def test_the_text_of_every_place_is_the_same(twins):
    helped, plain = twins
    for rank, section in enumerate(plain.meta.blob.sections):
        packed = array("Q", [rank << 40 | 4096 + section.text + n for n in range(section.length)])
        assert helped.lines(packed.tobytes()) == plain.lines(packed.tobytes())
    assert helped.lines(b"") == plain.lines(b"") == ""


def test_hits_of_another_snapshot_are_an_error_not_a_crash(twins):
    for hit in (99 << 40, 5, (1 << 64) - 1, 2 << 40 | (1 << 40) - 1):
        with pytest.raises(ValueError, match="not of this snapshot"):
            twins[0].lines(hit.to_bytes(8, "little"))


@given(where=st.integers(0, 1 << 20), octets=st.binary(min_size=1, max_size=64), name=names)
def test_a_damaged_file_gives_no_crash(twins, tmp_path_factory, where, octets, name):
    """The digest covers header and meta only."""
    data = bytearray(twins[1].path.read_bytes())
    end = 4096 + twins[1].meta.blob.length
    where = 4096 + where % (end - 4096 - len(octets))
    data[where : where + len(octets)] = octets
    damaged = tmp_path_factory.getbasetemp() / "damaged.snap"
    damaged.write_bytes(data)
    try:
        snapshot = Snapshot.open(damaged, SECRET, {})
    except ListError:
        return
    for one in (name, "bad.example.net.", "local.example.com.", "x.below.example.org."):
        for hit in snapshot.find(one):
            snapshot.lines((hit.list << 40 | hit.offset).to_bytes(8, "little"))
