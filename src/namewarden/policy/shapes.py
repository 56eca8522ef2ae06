"""The lines that are common enough to be read without the reader, as one regular expression for each list.

Counterparts: `scan.py`, which takes what they find; `reader.py`, which reads every line and reads these alike.
"""

import re
from typing import NamedTuple

from namewarden.policy import layout
from namewarden.policy.lines import Effect
from namewarden.policy.spec import ListKind, Match

PLAIN = ("bare", "hosts", "wildcard", "adblock")  # shapes that the helper reads, in its order
_LABEL = rb"[a-z0-9_-]{1,63}+"
_NAME = rb"(?:" + _LABEL + rb"\.)++(?:" + _LABEL + rb")?+"  # at least one dot, perhaps a final one
_END = rb"[ \t]*\r?\n"
_COMMENTED = rb"(?:[ \t]+\#(?![^\n]{0,1000}expires=)[^\n]{0,1000}\n|[ \t]*\r?\n)"  # an expiry is the reader's
_SINK = rb"(?:0\.0\.0\.0|127\.0\.0\.1|::1?)[ \t]+"


class Shape(NamedTuple):
    """A line that is common enough to be read without the reader. One group: the name."""

    forms: str
    match: Match
    effect: Effect
    pattern: bytes
    plain: str = ""  # of PLAIN, if the helper reads it


SHAPES = (
    Shape("adblock", "both", "own", rb"\|\|(" + _NAME + rb")\^" + _END, "adblock"),
    Shape("adblock", "both", "allow", rb"@@\|\|(" + _NAME + rb")\^\|?" + _END),
    Shape(
        "domains wildcard", "both", "own",
        rb"\*\.(?!localhost)(" + _NAME + rb")" + _COMMENTED, "wildcard",
    ),
    Shape(
        "hosts", "exact", "own",
        _SINK + rb"(?!localhost|ip6-)(" + _NAME + rb")" + _COMMENTED, "hosts",
    ),
    Shape("domains wildcard", "both", "own", rb"\.(?!-|localhost)(" + _NAME + rb")" + _COMMENTED),
    Shape("dnsmasq", "both", "own", rb"address=/(" + _NAME + rb")/(?:0\.0\.0\.0|::|\#|)" + _END),
    Shape("dnsmasq", "both", "own", rb"(?:server|local)=/(" + _NAME + rb")/" + _END),
    Shape(
        "unbound", "both", "own",
        rb'local-zone: "(' + _NAME + rb')" always_(?:nxdomain|null|refuse|nodata)' + _END,
    ),
    Shape(
        "bind", "both", "own",
        rb'zone "(' + _NAME + rb')" (?:in )?\{ ?type (?:master|primary); ?[^{}\n]*\};' + _END,
    ),
    Shape(
        "domains wildcard", "exact", "own",
        rb"(?!-|localhost)(" + _NAME + rb")" + _COMMENTED, "bare",
    ),
)  # fmt: skip
_POLICY = (
    rb"(?:(" + _NAME + rb")|\*\.(" + _NAME + rb"))[ \t]+(?:[0-9]+[smhdw]?[ \t]+)?(?:in[ \t]+)?"
    rb"cname[ \t]+(?:\.|(\*)\.)[ \t]*(?:;[^\n]{0,1000})?\r?\n"
)


class Shapes:
    """The expression of one list's format and what its groups mean."""

    def __init__(self, form: str, kind: ListKind, zone: str) -> None:
        shapes = [] if form == "rpz" else [s for s in SHAPES if form in ("auto", *s.forms.split())]
        codes = [layout.MATCHES[s.match] << 3 | layout.code_of(s.effect, kind) for s in shapes]
        plain = {shape.plain: code for shape, code in zip(shapes, codes, strict=True)}
        bare, hosts, wildcard, adblock = (plain.get(name, -1) for name in PLAIN)
        self.plain = bare, hosts, wildcard, adblock
        parts = [shape.pattern for shape in shapes]
        zone_first = bool(zone)  # a zone's lines are tried first where most lines are a zone's
        self.policy = 1 if zone_first else len(shapes) + 1  # the first of its three groups
        self.codes = [0, 0, 0, 0, *codes] if zone_first else [0, *codes]
        if form in ("auto", "rpz"):
            parts.insert(0 if zone_first else len(parts), _POLICY)
        self.expression = re.compile(b"(?:" + b"|".join([*parts, b"[^\n]*+\n"]) + b")")
        self.zone = zone
        self.tail = b"." + zone.encode("latin-1")
        self.owner = ""
        self._codes = [layout.code_of(effect, kind) for effect in ("nxdomain", "nodata")]

    def trimmed(self, name: bytes) -> bytes:
        """Without its final dot; empty when the reader must look at it (a number at the end, one label)."""
        name = name.removesuffix(b".")
        return name if b"." in name and not name[name.rindex(b".") + 1 :].isdigit() else b""

    def policy_entry(self, at: "re.Match[bytes]", origin: str) -> tuple[int, bytes, int]:
        """(group of the name, name, code) of `[*.]name CNAME .`; no name when the reader must look."""
        nodata = at.lastindex == self.policy + 2
        group = self.policy if at[self.policy] is not None else self.policy + 1
        owner = at[group]
        name = owner.removesuffix(self.tail) if owner[-1] == 46 and self.zone else owner
        if name[-1] < 58:
            name = b"" if name[-1] == 46 else self.trimmed(name)
        if b"rpz-" in name or (origin != self.zone and owner[-1] != 46):
            name = b""
        if name:  # else the reader sees the line, and may take it for another format's
            self.owner = at[0].split(None, 1)[0].decode("latin-1")
        match = layout.EXACT if group == self.policy else layout.BELOW
        return group, name, match << 3 | self._codes[nodata]
