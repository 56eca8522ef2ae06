"""Why a line was skipped, beside the bounded word that is counted: RE2's own reason, or the option that DNS has not.

For people (`lists check`); compiling needs the word alone.
"""

import re

from namewarden.policy import expressions, options, patterns
from namewarden.policy.lines import Reason

_SLASHED = re.compile(r"(?:@@)?/(.+)/(?:\$(.*))?")
_OF_OPTIONS: frozenset[Reason] = frozenset(("option", "type", "client"))


def why(line: str, reason: Reason) -> str:
    """What more there is to say; "" where the word says it."""
    line = line.strip()
    slashed = _SLASHED.fullmatch(line)
    if reason == "pattern":
        return patterns.fault(slashed[1] if slashed else line.partition(";")[0])
    if reason not in _OF_OPTIONS:
        return ""
    if slashed or "$" in line:
        return _of_adblock(slashed[2] or "" if slashed else line.partition("$")[2])
    if ";" in line:
        return _of_expression(line)
    return line.partition("=")[0].split()[0] if "=" in line else line.split()[-1]


def _of_adblock(text: str) -> str:
    """The first option that cannot be read, or is there twice."""
    pieces = options.pieces(text)
    odd = [piece for piece in pieces if isinstance(options.read(piece), str)]
    words = [piece.partition("=")[0].strip().lower() for piece in pieces]
    twice = [word for word in words if words.count(word) > 1]
    return odd[0].strip() if odd else f"{twice[0]} twice" if twice else ""


def _of_expression(line: str) -> str:
    """The first of Pi-hole's options that cannot be read."""
    source, *said = line.split(";")
    odd = [text for text in said if isinstance(expressions.read(f"{source};{text}"), str)]
    return odd[0].strip() if odd else ""
