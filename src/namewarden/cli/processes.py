"""The commands that serve until they are stopped: the whole product, or one of its processes alone."""

from typing import Annotated

import typer

from namewarden import config as configuration
from namewarden.cli.shared import ConfigFile, notify, settings_of, start_errors

LinkText = Annotated[str | None, typer.Option("--channel", hidden=True)]


def run(config: ConfigFile = None) -> None:
    """Serve: DNS, hub and all they need, until Ctrl-C."""
    from namewarden.process import app as product

    settings = settings_of(config)
    with start_errors():
        product.run(settings, configuration.find_file(config), notify)


def resolver(config: ConfigFile = None, worker: int = 0, channel: LinkText = None) -> None:
    """Serve DNS and the verdict API alone, by the policy that the hub last published."""
    from namewarden.process import resolver as process
    from namewarden.process.supervise import Channel

    settings = settings_of(config)
    with start_errors():
        process.serve_resolver(
            settings, Channel.from_text(channel) if channel else None, worker, notify
        )


def hub(config: ConfigFile = None, channel: LinkText = None) -> None:
    """Serve API, event store and status page alone, and publish the policy."""
    from namewarden.process import hub
    from namewarden.process.supervise import Channel

    settings = settings_of(config)
    with start_errors():
        hub.serve_hub(settings, Channel.from_text(channel) if channel else None, notify)
