"""The file of names: one a line, `name`, `type`, `client subnet`, `expected`, with tabs or commas between them.

What stands behind may be missing. A first line that begins with `name` is a heading, `#` begins a comment line.
"""

import csv
import ipaddress
from pathlib import Path

import dns.exception
import dns.name
import dns.rdatatype
from msgspec import Struct

from namewarden.harness import expected
from namewarden.harness.expected import Expected, Network

LARGEST = 64 * 1024 * 1024  # octets
FIELDS = 4
MOST_PROBLEMS = 20  # that are told


class CaseError(Exception):
    """A file of names that cannot be used; a line for each problem."""


class Case(Struct, frozen=True):
    """One question and what its answer should be."""

    line: int
    name: str  # absolute
    qtype: str
    subnet: Network | None  # RFC 7871; None = none is sent
    expected: Expected


def read(path: Path) -> list[Case]:
    """All of a file. CaseError."""
    found: list[Case] = []
    problems: list[str] = []
    for number, line in enumerate(_text(path).splitlines(), 1):
        fields = _fields(line)
        if not fields or (number == 1 and fields[0].lower() == "name"):
            continue
        try:
            found.append(_case(number, fields))
        except (ValueError, dns.exception.DNSException) as error:
            problems.append(f"{path}:{number}: {error}")
    if problems:
        more = len(problems) - MOST_PROBLEMS
        told = problems[:MOST_PROBLEMS] + ([f"and {more} more"] if more > 0 else [])
        raise CaseError("\n".join(told))
    if not found:
        raise CaseError(f"{path}: there is no name in it")
    return found


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise CaseError(f"{path}: {error.strerror}") from error
    if len(data) > LARGEST:
        raise CaseError(f"{path}: is larger than {LARGEST >> 20} MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CaseError(f"{path}: is no UTF-8 text") from error


def _fields(line: str) -> list[str]:
    """None of them where it is no case."""
    if not line.strip() or line.startswith("#"):
        return []
    parts = line.split("\t") if "\t" in line else next(csv.reader([line]))
    return [part.strip() for part in parts]


def _case(number: int, fields: list[str]) -> Case:
    if len(fields) > FIELDS:
        raise ValueError(f"a line has at most {FIELDS} fields, not {len(fields)}")
    name, qtype, subnet, wanted = (*fields, *[""] * (FIELDS - len(fields)))
    qtype = dns.rdatatype.to_text(dns.rdatatype.from_text(qtype or "A"))
    network = ipaddress.ip_network(subnet, strict=False) if subnet else None
    return Case(number, _absolute(name), qtype, network, expected.read(wanted, qtype))


def _absolute(name: str) -> str:
    if not name:
        raise ValueError("the name is missing")
    codec = None if name.isascii() else dns.name.IDNA_2008_Practical
    return dns.name.from_text(name, idna_codec=codec).to_text()
