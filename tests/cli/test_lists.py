"""What `lists refresh` says; downloads are in `tests/test_subscriptions.py`."""

import asyncio

from namewarden.cli.lists import lists_refresh
from tests.hub.made import services
from tests.hub.test_server import serving


async def test_that_all_is_unchanged_hides_no_policy_that_could_not_be_made(tmp_path, capsys):
    async with services(tmp_path) as parts, serving(parts, tmp_path / "hub.sock") as url:
        parts.publisher.problem = "no new snapshot: No space left on device"
        token = parts.auth.new_token("t", "administrator", 0.0)[0]
        await asyncio.to_thread(lists_refresh, None, url, token, None)
    assert capsys.readouterr().out == (
        "not in force yet: no new snapshot: No space left on device\n"
    )
