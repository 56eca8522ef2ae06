"""`python -m bench`: choose workloads and servers, run the rounds in turn, write the page."""

import argparse
import os
import platform
import re
import shlex
import shutil
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import names, processes, product, report, workloads
from bench.fixed import FIXED
from bench.names import NameFiles
from bench.peers import PEERS
from bench.processes import LOAD_CORE, SERVER_CORE, BenchError
from bench.results import Results
from bench.server import Server
from bench.session import Session

SERVERS: tuple[Server, ...] = (*PEERS, FIXED, *product.VARIANTS)
DEFAULT = tuple(server.name for server in SERVERS if server is not product.PURE)
RAW = Path(__file__).resolve().parent.parent / "build" / "bench"


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "workloads", nargs="*", help=f"of {', '.join(workloads.WORKLOADS)}; all when none is named"
    )
    parser.add_argument(
        "--rounds",
        type=int,
        default=3,
        help="of each workload; cold workloads end when names would repeat",
    )
    parser.add_argument(
        "--seconds", type=float, default=6.0, help="of a warm round, and of a round of misses"
    )
    parser.add_argument("--names", type=int, default=1_000_000, help="in the list")
    parser.add_argument("--cold", type=int, default=300_000, help="names of a cold pass")
    parser.add_argument(
        "--rate", type=float, default=2000.0, help="new names a second in the workload miss"
    )
    parser.add_argument("--starts", type=int, default=3, help="of each kind in the workload memory")
    parser.add_argument(
        "--search", type=float, default=4.0, help="seconds of each rate tried in new-names"
    )
    parser.add_argument(
        "--decisions", type=int, default=10, help="names decided about in the workload decision"
    )
    parser.add_argument("--swaps", type=int, default=3, help="of a list in the workload swap")
    parser.add_argument("--only", help=f"servers, by comma, of {','.join(s.name for s in SERVERS)}")
    parser.add_argument(
        "--no-page", action="store_true", help="print the tables, leave docs/benchmarks.md alone"
    )
    options = parser.parse_args(arguments)
    options.workloads = options.workloads or list(workloads.WORKLOADS)
    options.only = options.only.split(",") if options.only else list(DEFAULT)
    for given, known in (
        (options.workloads, workloads.WORKLOADS),
        (options.only, [s.name for s in SERVERS]),
    ):
        if unknown := set(given) - set(known):
            parser.error(f"unknown: {', '.join(sorted(unknown))} (known: {', '.join(known)})")
    return options


def main(arguments: list[str]) -> int:
    options, console = parse(arguments), Console(stderr=True)
    try:
        results = run(options, console)
    except BenchError as problem:
        console.print(f"[red]{problem}[/red]", highlight=False)
        return 1
    results.save(RAW / f"{results.date.replace(' ', '-').replace(':', '')}.json")
    if not options.no_page:
        report.write(results)
    Console().print(report.render(results), markup=False, highlight=False, soft_wrap=True)
    return 0


def run(options: argparse.Namespace, console: Console) -> Results:
    _check_machine()
    console.print("writing names and, where needed, building peers", highlight=False)
    made = _names(options)
    results = _results(options, made)
    servers = _servers(options, results)
    os.sched_setaffinity(0, {LOAD_CORE})
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="namewarden-bench-")))
        progress = stack.enter_context(_progress(console))
        Session(options, made, results, folder, progress).measure(servers, stack)
    return results


def _check_machine() -> None:
    if not {SERVER_CORE, LOAD_CORE} <= os.sched_getaffinity(0):
        raise BenchError("two cores are needed: one for the server, one for the load")
    for program in ("dnsperf", "nsd", "taskset"):
        if shutil.which(program) is None:
            raise BenchError(f"{program} is not installed (make packages)")


def _names(options: argparse.Namespace) -> NameFiles:
    place = names.folder(options.names, options.cold)
    return names.write(place, options.names, names.Sizes(cold=options.cold))


def _results(options: argparse.Namespace, made: NameFiles) -> Results:
    return Results(
        command=shlex.join(
            ["make", "bench", *([f"ARGS={shlex.join(sys.argv[1:])}"] if sys.argv[1:] else [])]
        ),
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        machine=machine(),
        names=made.count,
        seconds=options.seconds,
        rate=options.rate,
        versions={"world": processes.first_line("nsd", "-v"), "load": _dnsperf_version()},
    )


def _servers(options: argparse.Namespace, results: Results) -> list[Server]:
    """Those asked for that can run here; the others are named with the reason."""
    chosen = []
    for server in (server for server in SERVERS if server.name in options.only):
        if why := server.missing():
            results.skipped[server.name] = why
        else:
            results.versions[server.name] = server.version()
            chosen.append(server)
    return chosen


def machine() -> str:
    cpu = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    name = cpu[1] if cpu else platform.machine()
    load = os.getloadavg()[0]
    return (
        f"{name}, {os.cpu_count()} cores, Linux {platform.release()}, load {load:.1f} at the start"
    )


def _dnsperf_version() -> str:
    said = processes.output_of("dnsperf", "-h")
    found = re.search(r"Version (\S+)", said)
    return f"dnsperf {found[1] if found else ''}".strip()


def _progress(console: Console) -> Progress:
    """No refreshing thread: it would run on the load core."""
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    return Progress(*columns, console=console, auto_refresh=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
