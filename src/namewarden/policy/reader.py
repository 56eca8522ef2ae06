"""All formats behind one method: `read(line)` for every line of one list, in order. It knows what goes on in the next.

Counterparts: `rpz.py` reads zones, `formats.py` all else; `scan.py` and `check.py` ask.
"""

from namewarden.policy.formats import bind, read_line
from namewarden.policy.lines import LINE_LIMIT, Reading
from namewarden.policy.rpz import Zone, is_zone_line

STATEMENT_LINES = 100  # of a BIND zone


class Reader:
    """Of one list."""

    def __init__(self, form: str, zone: str = "", broad: bool = False) -> None:
        self.form = form
        self.broad = broad  # as the list says
        self.zone = Zone(zone)
        self._statement: list[str] = []  # of BIND, while its braces are open

    @property
    def is_open(self) -> bool:
        """Whether a record or a statement goes on in the next line."""
        return self.zone.is_open or bool(self._statement)

    def read(self, text: str) -> Reading:
        line = text.rstrip("\r\n").removeprefix("\ufeff")
        if self.form == "rpz" or (
            self.form == "auto" and (self.zone.is_open or is_zone_line(line[: LINE_LIMIT + 1]))
        ):
            return self.zone.read(line) if line else "blank"
        if self.form in ("auto", "bind"):
            bare = line.split("//")[0].strip()
            if self._statement or (bare.startswith("zone ") and "}" not in bare):
                return self._bind(bare)
        return read_line(line, self.form, self.broad)

    def _bind(self, line: str) -> Reading:
        """A line of a zone that is written over several: the last says what it means."""
        self._statement.append(line)
        whole = " ".join(self._statement)
        if len(self._statement) >= STATEMENT_LINES or len(whole) > 4 * LINE_LIMIT:
            self._statement = []
            return "syntax"
        if whole.count("{") > whole.count("}") or "{" not in whole:
            return "part"
        self._statement = []
        return bind(whole)
