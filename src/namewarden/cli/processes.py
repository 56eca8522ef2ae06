"""The commands that serve until they are stopped: the whole product, or one of its processes alone."""

from namewarden import config as configuration
from namewarden.cli.checks import problems
from namewarden.cli.shared import ConfigFile, settings_of, start_errors
from namewarden.process.app import Notify, Roots
from namewarden.process.channel import Channel
from namewarden.settings import Settings


def run(config: ConfigFile = None) -> None:
    """Serve: DNS, hub and all they need, until Ctrl-C. SIGHUP: take the configuration anew."""
    from namewarden.process import app as product
    from namewarden.process import load
    from namewarden.process.terminal import say

    settings = settings_of(config, say)
    with start_errors(say):
        roots = Roots(_hub, _resolver, load.for_hub, load.for_resolver, problems)
        product.run(settings, configuration.find_file(config), roots, say)


def resolver(config: ConfigFile = None, worker: int = 0) -> None:
    """Serve DNS and the verdict API alone, by the policy that the hub last published."""
    from namewarden.process.terminal import say

    settings = settings_of(config, say)
    with start_errors(say):
        _resolver(settings, None, worker, say)


def hub(config: ConfigFile = None) -> None:
    """Serve API, event log and status page alone, and publish the policy."""
    from namewarden.process.terminal import say

    settings = settings_of(config, say)
    with start_errors(say):
        _hub(settings, None, say)


def _hub(settings: Settings, channel: Channel | None, notify: Notify) -> None:
    from namewarden.process.load import no_collection

    with no_collection():
        from namewarden.process.hub import serve_hub

    serve_hub(settings, channel, notify)


def _resolver(settings: Settings, channel: Channel | None, worker: int, notify: Notify) -> None:
    from namewarden.process.resolver import serve_resolver

    serve_resolver(settings, channel, worker, notify)
