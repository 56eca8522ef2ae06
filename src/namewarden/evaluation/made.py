"""Names that machines ask for and people never see, made up by the rules of those who make them; one seed, one set.

The host says nothing here: most must not be scored at all, the others by the registrable label alone.
"""

import random
from collections.abc import Callable

SEED = 20261121
HEX = "0123456789abcdef"
LOWER = "abcdefghijklmnopqrstuvwxyz"
BASE36 = LOWER + "0123456789"


def names(each: int = 300) -> dict[str, list[str]]:
    dice = random.Random(SEED)
    return {bucket: [make(dice) for _ in range(each)] for bucket, make in MAKERS.items()}


def _some(dice: random.Random, letters: str, size: int) -> str:
    return "".join(dice.choices(letters, k=size))


def _cloud(dice: random.Random) -> str:
    part = _some(dice, BASE36, 13)
    return dice.choice(
        [
            f"d{part}.cloudfront.net",
            f"{part}-{_some(dice, LOWER, 6)}.s3.amazonaws.com",
            f"{part}.s3.eu-central-1.amazonaws.com",
            f"{part}.blob.core.windows.net",
            f"{part}.azureedge.net",
            f"{part}.azurewebsites.net",
            f"{part}.execute-api.us-east-1.amazonaws.com",
            f"{part}-uc.a.run.app",
        ]
    )


def _hex_host(dice: random.Random) -> str:
    return f"{_some(dice, HEX, dice.choice([16, 32, 40]))}.example.org"


def _uuid(dice: random.Random) -> str:
    return "-".join(_some(dice, HEX, size) for size in (8, 4, 4, 4, 12)) + ".example.net"


def _antivirus(dice: random.Random) -> str:
    suffix = dice.choice(
        ["avqs.mcafee.com", "avts.mcafee.com", "i.02.s.sophosxl.net", "hash.cymru.com"]
    )
    return f"{_some(dice, HEX, 32)}.{suffix}"


def _reversed(dice: random.Random) -> str:
    return ".".join(str(dice.randrange(256)) for _ in range(4))


def _block_list(dice: random.Random) -> str:
    zone = dice.choice(
        ["zen.spamhaus.org", "bl.spamcop.net", "dnsbl.sorbs.net", "b.barracudacentral.org"]
    )
    return f"{_reversed(dice)}.{zone}"


def _reverse_zone(dice: random.Random) -> str:
    if dice.random() < 0.5:
        return f"{_reversed(dice)}.in-addr.arpa"
    return ".".join(_some(dice, HEX, 32)) + ".ip6.arpa"


def _service(dice: random.Random) -> str:
    service = dice.choice(
        ["_ldap._tcp", "_sip._udp", "_kerberos._tcp", "_443._tcp", "_xmpp-server._tcp"]
    )
    return f"{service}.{_some(dice, LOWER, 4)}.example.org"


def _challenge(dice: random.Random) -> str:
    return dice.choice(["_acme-challenge", "_dmarc", "s1._domainkey"]) + ".www.example.com"


def _single(dice: random.Random) -> str:
    return _some(dice, LOWER, dice.randint(7, 15))


def _local(dice: random.Random) -> str:
    suffix = dice.choice(["local", "lan", "internal", "corp", "home", "localdomain", "intranet"])
    return f"desktop-{_some(dice, BASE36, 7)}.{suffix}"


MAKERS: dict[str, Callable[[random.Random], str]] = {
    "cloud and CDN customers, made up": _cloud,
    "hex hosts": _hex_host,
    "UUID hosts": _uuid,
    "anti-virus look-ups": _antivirus,
    "block lists asked by DNS": _block_list,
    "reverse zones": _reverse_zone,
    "_service labels": _service,
    "ACME, DMARC, DKIM": _challenge,
    "single labels (browser probes)": _single,
    "local suffixes": _local,
}
