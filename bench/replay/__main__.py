"""`python -m bench.replay`: real names through the running product, counted into `docs/replay.md`.

Minutes; needs nsd, and the lists of ../shared/data. Every name with what became of it is kept as
`build/bench/replay.tsv`.
"""

import argparse
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bench.__main__ import RAW, machine
from bench.processes import BenchError
from bench.replay import names, page
from bench.replay.count import JudgedName, join, queries
from bench.replay.firewall import Firewall, LoggedEvent, firewall
from bench.replay.names import AskedName
from bench.replay.page import ReplayRun
from bench.replay.stub import Account, Stub
from namewarden.detector.model import Model

ROOT = Path(__file__).resolve().parents[2]
LATE = "model_late"
PASSES = 3  # for names that were answered unscored, each slower than the one before


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.replay", description=__doc__)
    parser.add_argument("--data", type=Path, default=find_data(), help="folder of the real names")
    parser.add_argument("--names", type=int, help="about how many; full buckets when not given")
    parser.add_argument("--rate", type=float, default=1000.0, help="names a second")
    parser.add_argument("--seed", type=int, default=1, help="another draws other names")
    parser.add_argument("--no-page", action="store_true", help="print, leave docs/replay.md alone")
    return parser.parse_args(arguments)


def find_data() -> Path:
    """The shared data beside the checkout, or beside the one it is a worktree of."""
    folders = [parent.parent / "shared" / "data" for parent in (ROOT, *ROOT.parents)]
    return next((folder for folder in folders if folder.is_dir()), folders[0])


def main(arguments: list[str]) -> int:
    options, console = parse(arguments), Console(stderr=True)
    try:
        run = replay(options, shlex.join(["python", "-m", "bench.replay", *arguments]), console)
    except BenchError as problem:
        console.print(f"[red]{problem}[/red]", highlight=False)
        return 1
    keep(run.judged, RAW / "replay.tsv")
    if not options.no_page:
        page.write(run)
    Console().print(page.render(run), markup=False, highlight=False, soft_wrap=True)
    return 0


def replay(options: argparse.Namespace, command: str, console: Console) -> ReplayRun:
    if shutil.which("nsd") is None:
        raise BenchError("nsd is not installed (make packages)")
    console.print("drawing names (a minute)", highlight=False)
    asked = names.draw(options.data, options.names, options.seed)
    with tempfile.TemporaryDirectory(prefix="namewarden-replay-") as folder:
        with firewall(Path(folder)) as product:
            return ask(product, asked, options.rate, command, console)


def ask(
    product: Firewall, asked: list[AskedName], rate: float, command: str, console: Console
) -> ReplayRun:
    """Ask everything, then what was answered unscored; read the log."""
    about = machine()
    account = send(product, [each.name for each in asked], rate, console)
    events = log(product, account)
    late = first = unscored(events, asked)
    for number in range(PASSES):
        if not late:
            break
        add(account, send(product, late, rate / 2 ** (number + 1), console))
        events = log(product, account)
        late = unscored(events, asked)
    return ReplayRun(
        command=command,
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        machine=about,
        rate=rate,
        manifest=Model().manifest,
        judged=join(asked, events),
        datagrams=account.datagrams,
        again=account.again,
        stored=queries(asked, events),
        dropped=product.statistics()["dropped_queries"],
        late=len(first),
        rcodes=dict(account.rcodes),
    )


def send(product: Firewall, wanted: list[str], rate: float, console: Console) -> Account:
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    )  # fmt: skip
    with Progress(*columns, console=console, refresh_per_second=2) as progress:
        bar = progress.add_task("names", total=len(wanted))
        with Stub(product.port, rate, answered=lambda: progress.advance(bar)) as stub:
            stub.ask(wanted)
    if stub.account.unanswered:
        raise BenchError(f"never answered: {', '.join(stub.account.unanswered[:10])}")
    return stub.account


def add(account: Account, more: Account) -> None:
    account.datagrams += more.datagrams
    account.again += more.again
    account.rcodes += more.rcodes


def log(product: Firewall, account: Account) -> list[LoggedEvent]:
    """The events, once they stand for every query that was answered. BenchError when they never do."""
    stored = product.wait_until_stored(account.answered)
    if not account.answered <= stored <= account.datagrams:
        raise BenchError(f"{account.answered:,} of {account.datagrams:,} queries were answered, "
                         f"the log holds {stored:,}")  # fmt: skip
    return product.events()


def unscored(events: Iterable[LoggedEvent], asked: Sequence[AskedName]) -> list[str]:
    return [each.asked.name for each in join(asked, events) if each.event.reason == LATE]


def keep(judged: Iterable[JudgedName], path: Path) -> None:
    """One line a name, for who wants to look closer."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="ascii") as file:
        for asked, event in ((each.asked, each.event) for each in judged):
            score = "" if event.score is None else repr(event.score)
            row = (asked.name, asked.kind, asked.bucket, asked.known, event.action, event.reason,
                   event.band, score, f"{event.duration:.6f}")  # fmt: skip
            file.write("\t".join(row) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
