"""`harness`: any resolver is asked a list of names, and what it says is compared with what is expected."""

import asyncio
import ipaddress
import sys
import time
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer
from msgspec import structs

from namewarden.cli.shared import fail

if TYPE_CHECKING:
    from namewarden.harness.asking import Target, Transport
    from namewarden.harness.cases import Case
    from namewarden.harness.expected import Signs
    from namewarden.harness.run import Pace

WRONG_USE = 2
INTERRUPTED = 130  # as shells say of Ctrl-C


def harness(
    server: Annotated[str, typer.Option(metavar="ADDRESS[:PORT]", help="Who is asked.")],
    names: Annotated[Path, typer.Option(metavar="FILE", help="Names, and what is expected.")],
    tcp: Annotated[bool, typer.Option("--tcp", help="Ask by TCP.")] = False,
    tls: Annotated[bool, typer.Option("--tls", help="Ask by TLS (port 853).")] = False,
    tls_name: Annotated[str, typer.Option(help="In the certificate; else the server's.")] = "",
    tls_ca: Annotated[Path | None, typer.Option(help="Whose certificates are taken.")] = None,
    tls_insecure: Annotated[bool, typer.Option("--tls-insecure", help="Take any.")] = False,
    source: Annotated[str, typer.Option(metavar="ADDRESS", help="Ask from it.")] = "",
    concurrency: Annotated[int, typer.Option(min=1, max=1000, help="At a time.")] = 16,
    rate: Annotated[float, typer.Option(min=0, help="Questions a second; 0 = any.")] = 200.0,
    timeout: Annotated[float, typer.Option(min=0.01, max=60, help="Seconds for one try.")] = 2.0,
    tries: Annotated[int, typer.Option(min=1, max=10, help="Until an answer comes.")] = 2,
    blocked: Annotated[
        str | None,
        typer.Option(metavar="SIGNS", help="By what a block is known (docs/harness.md)."),
    ] = None,
    redirect: Annotated[
        str, typer.Option(metavar="NETWORKS", help="Addresses that a redirect leads to.")
    ] = "",
    junit: Annotated[Path | None, typer.Option(help="Write results as JUnit XML.")] = None,
    jsonl: Annotated[
        Path | None, typer.Option(help="Write results as JSON lines; - = standard output.")
    ] = None,
) -> None:
    """Ask any resolver a list of names: differences from what is expected, and latencies."""
    from namewarden.harness.asking import ServerError
    from namewarden.harness.cases import CaseError
    from namewarden.harness.run import Pace

    if tcp and tls:
        fail("--tcp and --tls are two ways, choose one", WRONG_USE)
    try:
        by = _signs(blocked, redirect)
        target = _target(server, "tls" if tls else "tcp" if tcp else "udp", source)
        if tls:
            target = _trusting(target, tls_name, tls_ca, tls_insecure)
        cases = _cases(names, by)
        with ExitStack() as opened:
            files = [opened.enter_context(_opened(path)) for path in (junit, jsonl)]
            replaced = structs.replace(target, timeout=timeout, tries=tries)
            status = _run(cases, replaced, by, Pace(concurrency, rate), *files)
    except (ValueError, OSError, ServerError, CaseError) as error:
        fail(str(error), WRONG_USE)
    raise typer.Exit(status)


def _signs(blocked: str | None, redirect: str) -> "Signs":
    from namewarden.harness.expected import BLOCKED, signs

    words = BLOCKED if blocked is None else _words(blocked)
    return signs(words, _words(redirect))


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _target(server: str, transport: "Transport", source: str) -> "Target":
    from namewarden.harness.asking import Target, resolve

    host, port, name = resolve(server, transport)
    if source:
        ipaddress.ip_address(source)
    return Target(host, port, transport, source, tls_name=name)


def _trusting(target: "Target", name: str, authorities: Path | None, anybody: bool) -> "Target":
    from namewarden.harness.asking import trust

    return structs.replace(
        target, tls=trust(authorities, anybody), tls_name=name or target.tls_name
    )


def _cases(names: Path, by: "Signs") -> "list[Case]":
    from namewarden.harness import cases

    found = cases.read(names)
    lost = [case.line for case in found if case.expected.word == "redirect" and not by.redirected]
    if lost:
        raise cases.CaseError(
            f"{names}:{lost[0]}: say with --redirect which addresses a redirect leads to"
        )
    return found


def _opened(path: Path | None) -> AbstractContextManager[BinaryIO | None]:
    if path is None:
        return nullcontext()
    return nullcontext(sys.stdout.buffer) if str(path) == "-" else path.open("wb")


def _run(
    cases: "list[Case]",
    target: "Target",
    by: "Signs",
    pace: "Pace",
    junit: BinaryIO | None,
    jsonl: BinaryIO | None,
) -> int:
    """The exit status: whether anything is other than expected, or that somebody ended it before that was known."""
    from rich.console import Console

    from namewarden.harness import report, show
    from namewarden.harness.run import Result, run

    console, results, is_whole = Console(stderr=True), list[Result](), False
    begun = time.monotonic()
    with show.progress(console, len(cases)) as told, suppress(KeyboardInterrupt):

        def keep(result: Result) -> None:
            results.append(result)
            told(result)

        asyncio.run(run(cases, target, by, pace, keep))
        is_whole = True
    seconds = time.monotonic() - begun
    results.sort(key=lambda each: each.case.line)
    if jsonl:
        jsonl.writelines(report.to_lines(results))
    if junit:
        junit.write(report.to_junit(results, target, seconds))
    is_taken = jsonl is sys.stdout.buffer or junit is sys.stdout.buffer
    show.show(console if is_taken else Console(), results, target, seconds)
    return INTERRUPTED if not is_whole else int(any(each.difference for each in results))
