"""The guard list: popular and warning-list names that the model alone never blocks.

`write` makes the plain list that the policy compiler takes as kind `guard`; `guarded` is the rule over it.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from namewarden.detector.label import Labels, Scorable, warning_list

# Of the MISP warning lists: the popular, then vendors, clouds and CDNs, then names that are often mistaken.
LISTS = (
    "tranco10k", "cisco_top20k", "majestic_million", "moz-top500", "alexa",
    "microsoft", "microsoft-office365", "microsoft-win10-connection-endpoints", "google",
    "captive-portals", "digitalside", "dax30", "bank-website", "university_domains",
    "url-shortener", "link-in-bio", "whats-my-ip", "findip-host", "public-ipfs-gateways",
    "umbrella-blockpage-hostname", "security-provider-blogpost",
)  # fmt: skip
MAJESTIC = 10_000
# Registries that ask who wants a name: CISA (.gov), the US army (.mil), EDUCAUSE (.edu), IANA (.int, RFC 1591).
RESTRICTED = frozenset(("gov", "mil", "edu", "int", "go.jp", "go.kr", "go.th", "ac.uk"))
STATES = frozenset(("gov", "govt", "gouv", "gob", "gub", "mil"))  # before a country's code


def names() -> list[str]:
    """Every host name of LISTS, once, sorted. What is no host name there (hashes, addresses) is left out."""
    found: set[str] = set()
    for entry in LISTS:
        found.update(warning_list(entry)[:MAJESTIC])
    return sorted(name for name in found if _is_name(name))


def write(path: Path) -> int:
    """Write the list whole, or not at all; how many names it holds."""
    listed = names()
    part = path.with_suffix(".part")
    part.write_text(_title() + "\n".join(listed) + "\n", encoding="ascii")
    part.replace(path)
    return len(listed)


def is_fresh(path: Path) -> bool:
    """Is the list at `path` what `write` would make now?"""
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            return file.readline() == _title()
    except OSError:
        return False


def _title() -> str:
    from importlib.metadata import version  # 60 ms, and no resolver writes this list

    return f"# guard list, from the MISP warning lists {version('pymispwarninglists')}\n"


def guarded(listed: Callable[[str], bool], labels: Labels) -> Callable[[str], bool]:
    """The rule: the exact host, or its ICANN registrable domain; below a dynamic-DNS or private suffix strangers
    live, so there only the exact host counts, though the suffix itself be listed. Names below a restricted suffix
    are guarded without being listed: who generates names cannot register there."""

    def is_guarded(name: str) -> bool:
        if listed(name):
            return True
        what = labels.scored(name)
        if not isinstance(what, Scorable) or what.kind != "icann":
            return False
        if is_restricted(what.registrable):
            return True
        registrable = what.registrable + "."
        return registrable != name and listed(registrable)

    return is_guarded


def is_restricted(registrable: str) -> bool:
    """Whether only vetted bodies can register such a domain: below .gov and kin, and what countries have for states."""
    suffix = registrable.partition(".")[2]
    first, _, country = suffix.partition(".")
    return suffix in RESTRICTED or (first in STATES and len(country) == 2)


def _is_name(name: str) -> bool:
    labels = name.split(".")
    return (
        name.isascii()
        and len(name) <= 253
        and len(labels) > 1
        and not labels[-1].isdigit()
        and all(0 < len(part) <= 63 for part in labels)
        and not set(name) - set("abcdefghijklmnopqrstuvwxyz0123456789-_.")
    )


def main(path: Path) -> int:
    """As a job of the hub: the result, or the reason on standard error."""
    try:
        sys.stdout.write(f'{{"names": {write(path)}}}\n')
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
