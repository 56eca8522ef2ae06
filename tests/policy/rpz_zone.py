"""A response policy zone with every action, made from a seed, and the names to ask of who has it loaded."""

import random
from typing import NamedTuple

ORIGIN = "rpz.test."
KINDS = {  # kind → records of its owners; {n} is a number
    "nxdomain": ["CNAME ."],
    "nodata": ["CNAME *."],
    "passthru": ["CNAME rpz-passthru."],
    "drop": ["CNAME rpz-drop."],
    "tcp-only": ["CNAME rpz-tcp-only."],
    "a": ["60 A 198.51.100.{n}", "60 A 203.0.113.{n}"],
    "aaaa": ["60 AAAA 2001:db8::{n}"],
    "txt": ['60 TXT "number {n}" "second; part"'],
    "cname": ["60 CNAME garden{n}.example.net."],
}
WILDCARDS = [
    "CNAME .", "CNAME *.", "60 A 198.51.100.{n}", "60 CNAME *.garden.example.net.", "CNAME rpz-tcp-only.",
]  # fmt: skip
EACH = 80
QTYPES = ("A", "AAAA", "TXT", "HTTPS")


class Asked(NamedTuple):
    """A name and the kind of the owner that speaks about it."""

    name: str
    kind: str


def make(seed: int = 3) -> tuple[str, list[Asked]]:
    """(the zone as text, a thousand names and more to ask)."""
    dice = random.Random(seed)
    lines = [
        f"$ORIGIN {ORIGIN}",
        "$TTL 300",
        "@ SOA localhost. root.localhost. 1 3600 900 86400 300",
        "@ NS localhost.",
    ]
    asked: list[Asked] = []
    for kind, records in KINDS.items():
        for number in range(EACH):
            owner = f"{_word(dice)}-{kind}{number}.{dice.choice(('example.org', 'w.example.net'))}"
            spelling = dice.choice((owner, owner.upper(), f"{owner}.{ORIGIN}"))
            lines += [f"{spelling} {record.format(n=number + 1)}" for record in records]
            asked.append(Asked(f"{owner}.", kind))
            if number % 4 == 0:
                asked.append(Asked(f"below.{owner}.", "unlisted"))
    for number in range(EACH):
        above = f"{_word(dice)}-wild{number}.example.org"
        lines.append(f"*.{above} {WILDCARDS[number % len(WILDCARDS)].format(n=number + 1)}")
        asked += [
            Asked(f"{above}.", "unlisted"),
            Asked(f"a.{above}.", "wildcard"),
            Asked(f"a.b.{above}.", "wildcard"),
        ]
        if number % 3 == 0:  # an owner below the wildcard takes itself and what is below it away
            lines.append(f"known.{above} CNAME rpz-passthru.")
            asked += [Asked(f"known.{above}.", "passthru"), Asked(f"a.known.{above}.", "unlisted")]
    return "\n".join(lines) + "\n", asked


def _word(dice: random.Random) -> str:
    return "".join(dice.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=dice.randint(3, 20)))
