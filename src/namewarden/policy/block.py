"""Block modes: what goes back in place of an answer, as plain values. Counterpart: `stages/block.py`.

null and ip answer A and AAAA, every other type (HTTPS and SVCB too) is NODATA with SOA. data answers the records of
the type asked, or a CNAME; others NODATA; a CNAME without room for its target is YXDOMAIN. EDE 15, or 17 of what
the client's group asks for by itself; 4 beside it where data was forged.
"""

from functools import lru_cache
from ipaddress import ip_address

from msgspec import Struct

from namewarden.query import Status, Verdict

Records = tuple[tuple[str, int, str], ...]  # type, TTL s, rdata text
NOERROR, NXDOMAIN, REFUSED, YXDOMAIN = 0, 3, 5, 6  # RFC 1035 §4.1.1, RFC 2136 §2.2
BLOCKED_CODE, FILTERED_CODE, FORGED_CODE = 15, 17, 4  # RFC 8914
NULL = ("0.0.0.0", "::")
TEXT = 200  # characters of an EDE: beside an answer it must fit into 512 octets


class Denial(Struct, frozen=True, gc=False):
    """What the client gets. Without records and with `is_negative`: an SOA whose MINIMUM is `ttl` (RFC 2308 §5)."""

    status: Status
    rcode: int = NOERROR
    records: Records = ()  # all of the name asked
    ttl: int = 0  # seconds it may be kept
    is_negative: bool = False
    is_silent: bool = False
    is_truncated: bool = False
    ede: tuple[tuple[int, str], ...] = ()


def denial(verdict: Verdict, kind: str) -> Denial:
    """Of a block or redirect, for a question of type `kind` (mnemonic)."""
    if verdict.mode == "drop":
        return Denial("DROPPED", is_silent=True)
    status: Status = "REDIRECTED" if verdict.action == "redirect" else "BLOCKED"
    ede = _ede(verdict)
    if verdict.mode == "tcp-only":
        return Denial(status, is_truncated=True, ede=ede)
    if verdict.mode == "refused":
        return Denial(status, REFUSED, ede=ede)
    if any(each[0] == "CNAME" and each[2].startswith("*.") for each in verdict.records):
        return Denial(status, YXDOMAIN, ede=ede)
    records = _records(verdict, kind)
    rcode = NXDOMAIN if verdict.mode == "nxdomain" else NOERROR
    return Denial(status, rcode, records, verdict.ttl, is_negative=not records, ede=ede)


def _ede(verdict: Verdict) -> tuple[tuple[int, str], ...]:
    text = " ".join(filter(None, (verdict.reason, verdict.family, _cited(verdict))))[:TEXT]
    said = (FILTERED_CODE if verdict.chosen else BLOCKED_CODE, text)
    return (said, (FORGED_CODE, "")) if verdict.mode in ("ip", "data") else (said,)


def _cited(verdict: Verdict) -> str:
    """The list, the operator's own words, the private address, or the score with what it reached."""
    if verdict.reason == "rebinding":
        return verdict.rule
    if verdict.chosen:
        return ":".join(verdict.rule.split(":", 2)[:2])
    source, _, rest = verdict.rule.partition(":")
    if source == "rule":
        return rest.partition(" (")[2].removesuffix(")") or source
    if verdict.score is not None:
        return verdict.rule.replace("score", f"score {verdict.score:.4f}", 1)
    return source


def _records(verdict: Verdict, kind: str) -> Records:
    if verdict.mode == "null":
        return _addresses(NULL, kind, verdict.ttl)
    if verdict.mode == "ip":
        return _addresses(verdict.addresses, kind, verdict.ttl)
    if verdict.mode == "data":
        return tuple(record for record in verdict.records if record[0] in (kind, "CNAME"))
    return ()


@lru_cache(maxsize=1024)
def _addresses(addresses: tuple[str, ...], kind: str, ttl: int) -> Records:
    wanted = {"A": 4, "AAAA": 6}.get(kind)
    return tuple((kind, ttl, text) for text in addresses if ip_address(text).version == wanted)
