"""`services`: what groups can have blocked, and which engines can be asked for safe results alone."""

from namewarden.cli.shared import put


def services() -> None:
    """Show the services and engines that groups may name, and how many names each has."""
    from namewarden.policy.chosen import KINDS, described

    for kind, key in KINDS.items():
        put(f"{key}:")
        for each in described(kind):
            put(f"  {each.name:<22} {each.names:>4}  {each.title}")
