"""How a server speaks to people: each thing it says on standard error begins with the time.

Counterparts: `lifetime.py`, by which logs take the same form; `cli/processes.py`, whose `notify` this is.
"""

import sys
from datetime import datetime


def say(text: str) -> None:
    """What people must know."""
    print(stamped(text), file=sys.stderr, flush=True)  # noqa: T201


def stamped(text: str) -> str:
    """As `namewarden query` shows times: local, with the zone."""
    return f"{datetime.now().astimezone().isoformat(' ', 'seconds')} {text}"
