"""Expressions of lists → rules: `/re/` of AdBlock lists, bare ones, Pi-hole's with `;querytype=`, `;invert`, `;reply=`.

All are RE2. What Pi-hole's library (TRE) or POSIX reads otherwise than RE2 is no rule: it would match something else.
"""

import re

from msgspec.structs import replace

from namewarden.policy import patterns
from namewarden.policy.lines import Effect, ListRule, Reading
from namewarden.policy.options import Options, Records, address_record, split_types
from namewarden.policy.terms import Terms

_SIGNS = frozenset("\\^$[](){}|*+?")
_BARE = re.compile(r"\\.|\[[^\]]+\]|\(.*\)|\{[0-9]|^\^|[\w)\]]\$$")
_BARE_BY_LITTLE = re.compile(r"\w[\w.*-]*[?+|][\w.*?+|-]*")  # `ads?`, `one|other`, but not …
_PIECE_OF_A_URL = re.compile(
    r"\.(?:php|html?|jsp?|aspx?|gif|jpe?g|png|swf|cgi|json|js|css|xml)[?+|]"
)
_FOREIGN = re.compile(  # approximate matching, collating symbols and word ends of TRE and POSIX; open ranges
    r"(?<!\\)\{(?![0-9]+(?:,[0-9]*)?\})|\[[^\]]*\[[.=]|\\[<>]"
)
_COMMENT = re.compile(r"\(\?#[^)]*\)")
_REPLIES: dict[str, Effect] = {
    "NXDOMAIN": "nxdomain",
    "NODATA": "nodata",
    "REFUSED": "refused",
    "NONE": "drop",
}
_NULL: Records = (("A", 10, "0.0.0.0"), ("AAAA", 10, "::"))


def is_bare(line: str) -> bool:
    """Whether a line of a mixed file is an expression without slashes around it."""
    source = _COMMENT.sub("", line.partition(";")[0])
    if set("/~ \t\"'&%@#!<>") & set(source) or "://" in source or not source:
        return False
    if set("=,:") & set(re.sub(r"\{[0-9,]*\}|\[:\w+:\]|\[[^\]]*\]|\(\?", "", source)):
        return False
    if _BARE.search(source):
        return True
    return bool(_BARE_BY_LITTLE.fullmatch(source)) and not _PIECE_OF_A_URL.search(source)


def read(line: str) -> Reading:
    """A bare expression with Pi-hole's options, or one in slashes."""
    if len(line) > 2 and line[0] == line[-1] == "/":
        return rule(line[1:-1], "own", Options())
    source, *said = line.split(";")
    made = Options()
    for text in said:
        read_one = _option(made, text.strip())
        if read_one is None:
            return "option"
        made = read_one
    if _FOREIGN.search(source):
        return "pattern"
    return rule(_COMMENT.sub("", source), made.effect or "own", made)


def _option(made: Options, text: str) -> Options | None:
    word, _, value = text.partition("=")
    word, terms = word.lower(), made.terms
    if word == "invert" and not value:
        return replace(made, terms=replace(terms, inverts=True))
    if word == "querytype":
        wanted, unwanted = split_types(value, ",", "!")
        if value.startswith("!"):  # `!A,AAAA`: none of them
            wanted, unwanted = (), unwanted + wanted
        if not wanted and not unwanted:
            return None
        return replace(made, terms=replace(terms, types=wanted, not_types=unwanted))
    return _reply(made, value) if word == "reply" else None


def _reply(made: Options, value: str) -> Options | None:
    if value.upper() in _REPLIES:
        return replace(made, effect=_REPLIES[value.upper()])
    if value.upper() == "NULL":
        return replace(made, effect="data", records=_NULL)
    records = [address_record(text.strip()) for text in value.split(",")]
    if not all(records):
        return None  # IP, the address of the Pi-hole itself, too
    return replace(made, effect="data", records=made.records + tuple(one for one in records if one))


def slashed(source: str, effect: Effect, said: Options, is_sure: bool) -> Reading:
    """What stood between slashes; without a sign of a pattern, or with a slash inside, it is a path of a URL."""
    if set("/@%=&~ ") & set(source) or not (is_sure or _SIGNS & set(source)):
        return "path"
    return rule(source, effect, said)


def unbounded(line: str) -> Reading:
    """One without options that may find every name."""
    body = line.removeprefix("@@")
    is_slashed = len(body) > 2 and body[0] == body[-1] == "/"
    source = body[1:-1] if is_slashed else body
    if _FOREIGN.search(source) or not patterns.is_usable(source, True):
        return "pattern"
    return (ListRule(source, "pattern", "own" if body == line else "allow"),)


def rule(source: str, effect: Effect, said: Options, suffix: str = "") -> Reading:
    terms = said.terms if said.terms != Terms() else None
    is_limited = terms is not None and bool(
        terms.is_narrow or terms.spared or terms.inverts or terms.is_bad
    )
    if not patterns.is_usable(source, is_limited):
        return "pattern"
    return (ListRule(source, "pattern", effect, records=said.records, terms=terms, suffix=suffix),)
