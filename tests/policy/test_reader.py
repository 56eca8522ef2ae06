"""What goes on in the next line."""

import pytest

from namewarden.policy.decide import Policy
from namewarden.policy.lines import ListRule
from namewarden.policy.reader import Reader
from namewarden.policy.walk import walk
from tests.policy.made import said, snapshot_of

ZONE = """\
zone "bad.example" {
    type master;   // ours
    notify no; allow-query { any; };
    file "null.zone";
};
zone "worse.example" IN
{
    type primary; };
zone "other.example" {
    type forward;
    forwarders { 192.0.2.1; };
};
zone "last.example" { type master; file "x"; };
"""


@pytest.mark.parametrize("form", ["auto", "bind"])
def test_bind_zones_over_several_lines(form):
    reader = Reader(form)
    readings = [reader.read(line) for line in ZONE.splitlines(keepends=True)]
    named = [one[0].name for one in readings if not isinstance(one, str)]
    assert named == ["bad.example.", "worse.example.", "last.example."]
    assert readings.count("part") == 9 and readings.count("syntax") == 1
    assert not reader.is_open


def test_they_are_compiled_and_walked(tmp_path):
    snapshot = snapshot_of(tmp_path, {"l": ZONE})
    assert len(said(snapshot, "www.bad.example.")) == 1
    assert said(snapshot, "other.example.") == []
    lines = [(one.name, one.match) for one in walk(Policy(snapshot), 1.0)]
    assert lines == [(f"{name}.example.", "both") for name in ("bad", "worse", "last")]


def test_a_statement_without_end_does_not_eat_the_list():
    reader = Reader("auto")
    readings = [reader.read(line) for line in ['zone "x.test" {', *["||y.test^"] * 150]]
    assert readings[99] == "syntax"
    assert readings[-1] == (ListRule("y.test.", "both"),)
