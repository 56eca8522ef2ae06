"""The commands that serve until they are stopped: the whole product, or one of its processes alone."""

from typing import Annotated

import typer

from namewarden import config as configuration
from namewarden.cli.shared import ConfigFile, say, settings_of, start_errors

LinkText = Annotated[str | None, typer.Option("--link", hidden=True)]


def run(config: ConfigFile = None) -> None:
    """Serve: DNS, hub and all they need, until Ctrl-C."""
    from namewarden import app as product

    settings = settings_of(config)
    with start_errors():
        product.run(settings, configuration.find_file(config), say)


def resolver(config: ConfigFile = None, worker: int = 0, link: LinkText = None) -> None:
    """Serve DNS and the verdict API alone, by the policy that the hub last published."""
    from namewarden import resolver as process
    from namewarden.supervise import Link

    settings = settings_of(config)
    with start_errors():
        process.serve_resolver(settings, Link.from_text(link) if link else None, worker, say)


def hub(config: ConfigFile = None, link: LinkText = None) -> None:
    """Serve API, event store and status page alone, and publish the policy."""
    from namewarden import hub_process
    from namewarden.supervise import Link

    settings = settings_of(config)
    with start_errors():
        hub_process.serve_hub(settings, Link.from_text(link) if link else None, say)
