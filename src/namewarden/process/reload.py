"""Another configuration for a running product: checked whole, then taken, but for what only a start can change."""

from collections.abc import Callable, Sequence
from pathlib import Path

from namewarden.config import ConfigError, load
from namewarden.process.slot import Child
from namewarden.settings import Settings

# The supervisor's own: sockets are bound, folders made and children counted before any child starts.
AT_START = (
    "data_dir",
    "dns.listen",
    "dns.workers",
    "verdict.listen",
    "verdict.original",
    "hub.listen",
)


class Reloader:
    """What a `Reload` of the supervisor does. Counterpart: `supervise.py` says when."""

    def __init__(
        self,
        settings: Settings,
        config: Path | None,
        children: Callable[[Settings], Sequence[Child]],
        problems: Callable[[Settings], Sequence[str]],
        notify: Callable[[str], None],
    ) -> None:
        self._settings = settings  # of the start
        self._config = config
        self._children = children
        self._problems = problems
        self._notify = notify

    def check(self) -> int:
        """The exit status: 0 = it can be taken. Every problem is told."""
        try:
            found = self._found(load(self._config))
        except ConfigError as error:
            found = error.problems
        if found:
            self._refuse(found)
        return int(bool(found))

    def _found(self, wanted: Settings) -> Sequence[str]:
        """Of what the next start would take, and of what is taken now: an address may be ours in one alone."""
        found = list(self._problems(wanted))
        if (taken := keep(self._settings, wanted)) != wanted:
            found += [each for each in self._problems(taken) if each not in found]
        return found

    def take(self) -> Sequence[Child]:
        """The children as they shall be; none when it was made wrong since the check."""
        try:
            wanted = load(self._config)
        except ConfigError as error:
            self._refuse(error.problems)
            return ()
        taken = keep(self._settings, wanted)
        for key in AT_START:
            if value(taken, key) != value(wanted, key):
                self._notify(f"{key} needs a restart, it stays as it was")
        return self._children(taken)

    def done(self) -> None:
        self._notify("the configuration is reloaded")

    def undone(self) -> None:
        self._notify("not all could take the configuration, the one before stays in force")

    def late(self) -> None:
        self._notify(
            "the check of the configuration was killed or took too long, the one before stays in force"
        )

    def _refuse(self, problems: Sequence[str]) -> None:
        lines = "\n".join(f"  {each}" for each in problems)
        self._notify(f"the configuration is wrong, the one before stays in force:\n{lines}")


def keep(before: Settings, wanted: Settings) -> Settings:
    """What is wanted, but for what only a start can change."""
    taken = wanted
    for key in AT_START:
        section, _, name = key.rpartition(".")
        if section:
            whole = getattr(taken, section).model_copy(update={name: value(before, key)})
            taken = taken.model_copy(update={section: whole})
        else:
            taken = taken.model_copy(update={name: value(before, key)})
    return taken


def value(settings: Settings, key: str) -> object:
    found: object = settings
    for part in key.split("."):
        found = getattr(found, part)
    return found
