"""The audit beside every change."""

from pathlib import Path

from namewarden.hub.auth import Principal
from namewarden.hub.services import note
from tests.hub.made import services


async def test_a_note_says_who_what_and_how(tmp_path: Path) -> None:
    async with services(tmp_path) as parts:
        for n in range(3):
            note(
                parts,
                Principal("ada", "analyst", "session", "secret"),
                "put decision",
                f"n{n}.",
                {"n": n},
            )
        found = parts.control.latest("audit", 10)
    assert [d.body["subject"] for d in found] == ["n2.", "n1.", "n0."]
    assert "secret" not in str(found)
