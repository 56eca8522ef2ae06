"""What a measured server is: how it is started, what it answers to a blocked name, and where it lives during a run."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.names import NameFiles

RPZ_HEAD = "$ORIGIN rpz.\n$TTL 300\n@ SOA localhost. root.localhost. 1 3600 600 86400 300\n@ NS localhost.\n"
RPZ_LINE = "{} CNAME .\n"


@dataclass(frozen=True)
class Place:
    """Where one server lives during a run."""

    folder: Path
    port: int
    names: NameFiles
    world: int  # the port of the authoritative server that knows every name


@dataclass(frozen=True)
class Server:
    """How a server is started, and what it says to a blocked name."""

    name: str
    blocked: str  # the rcode of a blocked name: NXDOMAIN, or NOERROR with 0.0.0.0
    command: Callable[[Place], list[str]]  # writes what it needs into the folder
    version: Callable[[], str]
    missing: Callable[[], str]  # why it cannot run here, or ""
    has_list: bool = True
    keeps_events: bool = False


def each_name(names: NameFiles, path: Path, form: str, head: str = "") -> None:
    """A file with a line for every listed name."""
    before, after = form.split("{}")
    with names.listed.open() as lines, path.open("w") as output:
        output.write(head)
        output.writelines(f"{before}{line.rstrip()}{after}" for line in lines)


def needs(program: str) -> Callable[[], str]:
    return lambda: "" if shutil.which(program) else f"{program} is not installed"
