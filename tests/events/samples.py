"""Events as a resolver would leave them."""

from typing import Any

from namewarden.query import Event

NOON = 1_789_560_000.0 - 1_789_560_000.0 % 86_400 + 43_200  # midday UTC of a fixed day
PLAIN = Event(
    "", NOON, "resolver", "192.0.2.7", "default", "www.example.org.", "A", "udp", "FORWARDED", "allow",
    "none", "", None, "", "", "", "", "udp://127.0.0.1:5353", 0.002, "NOERROR", (), ("192.0.2.80",),
)  # fmt: skip


def event(**changes: Any) -> Event:
    values = {name: getattr(PLAIN, name) for name in Event.__struct_fields__}
    return Event(**{**values, **changes})


def blocked(name: str, **changes: Any) -> Event:
    return event(
        name=name, status="BLOCKED", action="block", reason="list_deny", rule=f"malware:1 ||{name}^",
        upstream="", addresses=("0.0.0.0",), **changes,
    )  # fmt: skip
