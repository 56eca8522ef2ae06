"""Passwords, sessions and tokens; what somebody who guesses can reach, and how often."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from namewarden.hub.auth import Attempts, Auth, AuthError, Principal, fingerprint, may
from namewarden.hub.control import Control
from tests.hub.made import CHEAP, PASSWORD, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.0)


@pytest.fixture
async def auth(tmp_path: Path, clock: Clock) -> AsyncIterator[Auth]:
    control = Control(tmp_path / "control.sqlite", clock)
    control.start()
    auth = Auth(control, 3600, 3, clock, CHEAP)
    auth.write_user("ada", "analyst", CHEAP.hash(PASSWORD), None)
    yield auth
    control.stop()


async def test_the_right_password_opens_a_session_for_its_time(auth: Auth, clock: Clock) -> None:
    cookie, who = await auth.login("ada", PASSWORD, "192.0.2.1")
    assert (who.name, who.role, who.how) == ("ada", "analyst", "session")
    assert auth.by_cookie(cookie) == who
    clock.now += 3601
    assert auth.by_cookie(cookie) is None


async def test_logging_out_ends_the_session(auth: Auth) -> None:
    cookie, who = await auth.login("ada", PASSWORD, "192.0.2.1")
    auth.logout(who)
    assert auth.by_cookie(cookie) is None


async def test_a_changed_user_ends_all_sessions(auth: Auth) -> None:
    cookie, _ = await auth.login("ada", PASSWORD, "192.0.2.1")
    auth.write_user("ada", "viewer", CHEAP.hash(PASSWORD), None)
    assert auth.by_cookie(cookie) is None


@pytest.mark.parametrize(
    ("name", "password"),
    [("ada", "wrong password"), ("bob", PASSWORD), ("ada", "x" * 10_000), ("ada", "\ud800")],
)
async def test_wrong_is_wrong_without_saying_what(auth: Auth, name: str, password: str) -> None:
    with pytest.raises(AuthError, match="^wrong name or password$"):
        await auth.login(name, password, "192.0.2.1")


async def test_too_many_failures_of_an_address_or_a_user_must_wait(
    auth: Auth, clock: Clock
) -> None:
    for n in range(3):
        with pytest.raises(AuthError, match="wrong"):
            await auth.login(f"user{n}", "wrong password", "192.0.2.1")
    with pytest.raises(AuthError, match="too many"):
        await auth.login("ada", PASSWORD, "192.0.2.1")
    await auth.login("ada", PASSWORD, "192.0.2.2")
    for n in range(3):
        with pytest.raises(AuthError, match="wrong"):
            await auth.login("ada", "wrong password", f"192.0.2.{n + 10}")
    with pytest.raises(AuthError, match="too many") as refused:
        await auth.login("ada", PASSWORD, "192.0.2.99")
    assert 0 < refused.value.wait <= 900
    clock.now += 901
    await auth.login("ada", PASSWORD, "192.0.2.1")


async def test_guesses_sent_together_are_counted_each(auth: Auth) -> None:
    guesses = [auth.login("ada", f"wrong password {n}", "192.0.2.1") for n in range(20)]
    answers = await asyncio.gather(*guesses, return_exceptions=True)
    assert sum("wrong" in str(answer) for answer in answers) == 3


def test_the_table_of_failures_does_not_grow(clock: Clock) -> None:
    attempts = Attempts(2, clock, size=100)
    for n in range(1000):
        attempts.count(f"address {n}")
    assert len(attempts._failed) == 100


async def test_the_first_administrator_is_made_once(tmp_path: Path) -> None:
    control = Control(tmp_path / "new.sqlite")
    control.start()
    auth = Auth(control, hasher=CHEAP)
    password = auth.first_administrator()
    assert password is not None and len(password) >= 20
    assert auth.first_administrator() is None
    _, who = await auth.login("admin", password, "192.0.2.1")
    assert who.role == "administrator"
    assert password not in str(control.find("user"))
    control.stop()


async def test_a_token_is_kept_as_its_hash_and_ends(auth: Auth, clock: Clock) -> None:
    token, document = auth.new_token("exporter", "viewer", clock.now + 60)
    assert token not in str(document)
    who = auth.by_token(token)
    assert who is not None and (who.name, who.role) == ("token exporter", "viewer")
    for wrong in (token[:-1], token + "x", "", "nw_", f"nw_{document.id}_guess", "é\ud800"):
        assert auth.by_token(wrong) is None
    clock.now += 61
    assert auth.by_token(token) is None


async def test_short_and_endless_passwords_are_not_taken(auth: Auth) -> None:
    with pytest.raises(AuthError, match="half a character"):
        await auth.hash("\ud800" * 12)
    for password in ("short", "x" * 257):
        with pytest.raises(AuthError, match="10 to 256"):
            await auth.hash(password)


def test_roles_contain_each_other_and_sources_stand_beside() -> None:
    def can(role: str) -> list[str]:
        who = Principal("x", role, "token")  # type: ignore[arg-type]
        return [r for r in ("viewer", "analyst", "administrator", "source") if may(who, r)]

    assert can("viewer") == ["viewer"]
    assert can("analyst") == ["viewer", "analyst"]
    assert can("administrator") == ["viewer", "analyst", "administrator", "source"]
    assert can("source") == ["source"]
    assert fingerprint("a") != fingerprint("b")
