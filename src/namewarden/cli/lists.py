"""Lists by URL from the command line: downloaded by the hub now, with a bar for who waits, or just to look at."""

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from namewarden.cli.hub import Token, Url, asking
from namewarden.cli.shared import ConfigFile, fail, put, settings_of
from namewarden.settings import Settings, is_url, shown_url

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
        problem = hub.until_in_force() if is_other else hub.get("/lists")["problem"]
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
            running = {each["name"]: each["subscription"] for each in _running(found)}
            for name, going in running.items():
                if name not in bars:
                    bars[name] = progress.add_task(name, total=None)
                progress.update(bars[name], completed=going["came"], total=going["total"] or None)
            for name in bars.keys() - running.keys():
                progress.update(bars[name], visible=False)

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


@contextmanager
def file_of(place: str, allow_private: bool, config: Path | None) -> Iterator[Path]:
    """A file as it is; of a URL what it gives now, in a folder that goes again. One of the settings goes by these."""
    if not is_url(place):
        yield Path(place)
        return
    from namewarden.hub.subscriptions.errors import DownloadError

    settings = settings_of(config)
    allow_private |= any(each.allow_private for each in settings.lists if each.source == place)
    with TemporaryDirectory(prefix="namewarden-") as folder:
        try:
            asyncio.run(_download(place, allow_private, settings, Path(folder) / "list"))
        except (DownloadError, OSError) as problem:
            fail(f"{shown_url(place)}: cannot be downloaded: {problem}")
        yield Path(folder) / "list"


async def _download(url: str, allow_private: bool, settings: Settings, part: Path) -> None:
    """DownloadError, OSError."""
    from namewarden.hub.subscriptions.fetch import Web, fetch
    from namewarden.hub.subscriptions.store import Asked
    from namewarden.process.lookup import HostLookup

    lookup, wanted = HostLookup(settings), settings.subscriptions
    lookup.start()
    try:
        web = Web(lookup.addresses, wanted.size, wanted.timeout)
        await fetch(web, Asked(url, allow_private), part)
    finally:
        lookup.stop()
