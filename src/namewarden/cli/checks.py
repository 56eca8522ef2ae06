"""`config …` and `lists …`: is what somebody wrote right, before anything runs by it."""

import ipaddress
import json
import os
from pathlib import Path
from typing import Annotated

import typer

from namewarden import config as configuration
from namewarden.cli.shared import ConfigFile, config_errors, fail, notify, put, settings_of
from namewarden.settings import ListFormat, Settings, is_url, shown_url, split_endpoint


def config_check(config: ConfigFile = None) -> None:
    """Check whether the configuration is right; every problem at once."""
    settings = settings_of(config)
    with config_errors():
        if found := [*problems(settings), *_absent(settings)]:
            raise configuration.ConfigError(found)
    for each in settings.lists:
        if not is_url(each.source) and not Path(each.source).is_file():
            notify(f"list {each.name!r}: there is no file {Path(each.source).absolute()} yet")
    put(f"right: {configuration.find_file(config) or 'no file, all defaults'}")


def problems(settings: Settings) -> list[str]:
    """What is wrong beyond the words of the file."""
    from namewarden.net.system import ourselves_in, without_ourselves
    from namewarden.policy import chosen
    from namewarden.stages import own, special

    listeners = [split_endpoint(each) for each in settings.dns.listen]
    return [
        *own.read(settings.local.records).problems,
        *special.problems(settings.local.resolve),
        *without_ourselves(settings.upstream.servers, listeners)[1],
        *ourselves_in(settings.zones, listeners),
        *chosen.problems_of(settings.groups),
        *_listeners(settings),
        *_folders(settings),
        *_model(settings.model.path),
    ]


def _listeners(settings: Settings) -> list[str]:
    """Which would be bound twice. Port 0 is one that the kernel chooses."""
    bound: list[tuple[str, ipaddress.IPv4Address | ipaddress.IPv6Address, int]] = []
    found = []
    for key, endpoint in _endpoints(settings):
        host, port = split_endpoint(endpoint)
        address = ipaddress.ip_address(host)
        if plain := getattr(address, "ipv4_mapped", None):
            found.append(f"{key}: {endpoint} is IPv4 in IPv6 clothes: write {plain}:{port}")
        for other, place, number in bound:
            is_met = address == place or address.is_unspecified or place.is_unspecified
            if port and number == port and place.version == address.version and is_met:
                found.append(f"{key}: {endpoint} is listened on by {other} already")
                break
        bound.append((key, address, port))
    return found


def _endpoints(settings: Settings) -> list[tuple[str, str]]:
    """Where the product listens, with the settings that say so."""
    given = [("dns.listen", each) for each in settings.dns.listen]
    given += [
        ("verdict.listen", settings.verdict.listen),
        ("verdict.original", settings.verdict.original),
        ("hub.listen", settings.hub.listen),
    ]
    return [(key, endpoint) for key, endpoint in given if endpoint]


def _absent(settings: Settings) -> list[str]:
    """Addresses that a start could not listen on here; a product that runs has its sockets."""
    from namewarden.net.system import is_here

    given = [(key, split_endpoint(endpoint)[0]) for key, endpoint in _endpoints(settings)]
    return [
        f"{key}: this machine has no address {host}" for key, host in given if not is_here(host)
    ]


def _folders(settings: Settings) -> list[str]:
    """Whether state can be kept; nothing is made for that."""
    from namewarden.process.paths import Paths

    folder = settings.data_dir.absolute()
    there = next(p for p in (folder, *folder.parents) if p.exists() or p.is_symlink())
    path = Paths(settings.data_dir).verdict_socket  # of what is bound in it, the longest
    found = []
    if len(os.fsencode(path)) > 107:
        found.append(f"data_dir: {path} is too long for a socket, whose path has 107 octets")
    if not there.is_dir():
        found.append(f"data_dir: {there} is no folder")
    elif not os.access(there, os.R_OK | os.W_OK | os.X_OK):
        found.append(f"data_dir: {there} is no folder this user may write")
    return found + [
        f"lists.{place}.source: {Path(each.source).absolute()} is a folder, not a list"
        for place, each in enumerate(settings.lists)
        if not is_url(each.source) and Path(each.source).is_dir()
    ]


def _model(folder: Path | None) -> list[str]:
    """What is wrong with the model of the configuration, which the packaged one would stand in for."""
    from namewarden.detector.model import Model, ModelError

    try:
        if folder is not None:
            Model(folder)
    except ModelError as error:
        return [f"model.path: {error}"]
    return []


def config_show(config: ConfigFile = None) -> None:
    """Print what holds, defaults and environment included, as TOML."""
    put(configuration.to_toml(settings_of(config)))


def config_schema() -> None:
    """Print the JSON schema of the configuration."""
    put(json.dumps(configuration.schema(), indent=2))


def lists_check(
    file: Annotated[str, typer.Argument(metavar="FILE|URL")],
    format: Annotated[ListFormat, typer.Option(help="auto, or one of the nine formats.")] = "auto",
    quiet: Annotated[bool, typer.Option("--quiet", help="Only the totals.")] = False,
    broad: Annotated[
        bool, typer.Option("--broad", help="As a list with broad = true is read.")
    ] = False,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="The URL may lead to one's own network.")
    ] = False,
    config: ConfigFile = None,
) -> None:
    """Show what each line of a list became, or why it was skipped."""
    from collections import Counter

    from namewarden.cli.lists import file_of
    from namewarden.policy.broad import popular
    from namewarden.policy.check import Totals, check
    from namewarden.policy.errors import ListError

    counted = Totals(Counter())
    try:
        with file_of(file, allow_private, config) as path:
            for line in check(path, format, None if broad else popular()):
                counted.add(line)
                if not quiet:
                    more = f": {line.why}" if line.why else ""
                    put(
                        "\n".join(
                            f"{line.number}: {line.text}  →  {said}{more}" for said in line.says
                        )
                    )
    except ListError as error:
        fail(f"{shown_url(file)}: {error}")
    put(f"{counted.lines} lines, {counted.rules} became rules, {counted.odd} skipped")
    for reason, count in counted.skipped.most_common():
        put(f"  {count} {reason}")
