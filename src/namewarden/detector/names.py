"""Names as people and lists write them → as the detector reads them: lower case, A-labels, one dot at the end."""

import re

import idna

LONGEST = 253  # octets as text without the final dot, RFC 1035 §2.3.4
# Labels of 1 to 63 printing octets; what a host name may not have is found later and said with its reason.
_NAME = re.compile(r"(?:[!-\-/-~]{1,63}\.)*[!-\-/-~]{1,63}", re.ASCII)


def normal(given: str) -> str | None:
    """The FQDN, or None when that cannot be a name. Letters of other scripts become xn-- (UTS 46)."""
    name = given.strip().lower().removesuffix(".")
    if not name.isascii():
        name = _encoded(name)
    if len(name) > LONGEST or _NAME.fullmatch(name) is None:
        return None
    return name + "."


def _encoded(name: str) -> str:
    if len(name) > LONGEST:  # an encoded name is never shorter
        return ""
    try:
        return idna.encode(name, uts46=True).decode("ascii").removesuffix(".")
    except (idna.IDNAError, UnicodeError):
        return ""
