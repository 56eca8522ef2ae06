"""`namewarden lists refresh`: lists by URL are asked for now, and who waits sees how far they are."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from namewarden.cli.hub import Token, Url, asking
from namewarden.cli.shared import ConfigFile, put

if TYPE_CHECKING:
    from namewarden.hub.client import HubClient

AT_ONCE = 0.3  # seconds in which most are done: no bar for these
LOOK = 0.2  # seconds between looks at those that run

Found = dict[str, Any]  # of a list, as the API says it


def lists_refresh(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...")] = None,
    url: Url = "",
    token: Token = "",
    config: ConfigFile = None,
) -> None:
    """Download lists by URL now, all or these; in force when it returns. Exit status 1 when one could not be."""
    with asking(config, url, token) as hub:
        found = _until_done(hub, hub.refresh(names or [], AT_ONCE))
        is_other = any(_is(each, "changed") or not each["url"] for each in found)
        problem = hub.until_in_force() if is_other else ""
    for each in found:
        put(_said(each))
    if problem:
        put(f"not in force yet: {problem}")
    if any(_is(each, "failed") for each in found):
        raise typer.Exit(1)


def _is(each: Found, outcome: str) -> bool:
    return bool(each["url"]) and each["subscription"]["outcome"] == outcome


def _until_done(hub: "HubClient", found: list[Found]) -> list[Found]:
    if not _running(found):
        return found
    names = [each["name"] for each in found]
    with _watching() as tell:
        while _running(found):
            tell(found)
            time.sleep(LOOK)
            now = {each["name"]: each for each in hub.lists()}
            found = [now[name] for name in names if name in now]
    return found


def _running(found: list[Found]) -> list[Found]:
    return [each for each in found if each["url"] and each["subscription"]["running"]]


@contextmanager
def _watching() -> Iterator[Callable[[list[Found]], None]]:
    """A bar for each list that runs, on standard error; none where nobody looks."""
    if not sys.stderr.isatty():
        yield lambda found: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    bars: dict[str, Any] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:

        def tell(found: list[Found]) -> None:
            for each in found:
                if not each["url"]:
                    continue
                going, name = each["subscription"], each["name"]
                if name not in bars:
                    bars[name] = progress.add_task(name, total=None)
                total = going["total"] or (None if going["running"] else going["came"])
                progress.update(bars[name], completed=going["came"], total=total)

        yield tell


def _said(each: Found) -> str:
    """One line."""
    going = each["subscription"]
    if not going:
        return f"{each['name']}: a file, read as it is now"
    if going["outcome"] == "failed":
        kept = f"the copy of {_clock(going['good'])} stays" if going["good"] else "none of it is"
        return f"{each['name']}: {going['error']}; {kept} in force"
    return f"{each['name']}: {going['outcome']}, {going['size']:,} bytes"


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).isoformat(" ", "seconds")
