"""Who asks, and what they may: passwords and sessions, bearer tokens, and who comes by the Unix socket.

Passwords are kept as argon2id, tokens and session cookies as SHA-256 (they are long and random). Who may open the
hub's socket file is the administrator: the file's permissions are the password.
"""

import asyncio
import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Literal

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from msgspec import Struct

from namewarden.hub.control import ABSENT, Conflict, Control, Document

Role = Literal["viewer", "analyst", "administrator", "source"]
RANK: dict[str, int] = {"viewer": 1, "analyst": 2, "administrator": 3}
COOKIE = "namewarden_session"
WINDOW = 15 * 60.0  # seconds over which failed logins are counted
ATTEMPTS_KEPT = 10_000  # addresses and users remembered
# OWASP's second choice for argon2id: 19 MiB, two passes. Two at a time bound the hub's memory and time.
AT_ONCE = 2
PASSWORD = (10, 256)  # characters, least and most
TOKEN_PREFIX = "nw_"


class Principal(Struct, frozen=True):
    """Who a request is from, once that is known."""

    name: str
    role: Role
    how: Literal["socket", "token", "session"]
    secret: str = ""  # id of the session or token


class AuthError(Exception):
    """Not who they say they are, or not now. `wait` seconds when they tried too often."""

    def __init__(self, text: str, wait: float = 0.0) -> None:
        super().__init__(text)
        self.wait = wait


class Attempts:
    """Failed logins by address and by user, in a table that cannot grow beyond its size."""

    def __init__(self, limit: int, clock: Callable[[], float], size: int = ATTEMPTS_KEPT) -> None:
        self._limit = limit
        self._clock = clock
        self._size = size
        self._failed: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait(self, *keys: str) -> float:
        """Seconds until one of them may try again; 0 = now."""
        now = self._clock()
        return max(max(0.0, self._until(key, now) - now) for key in keys)

    def _until(self, key: str, now: float) -> float:
        number, since = self._failed.get(key, (0, now))
        return since + WINDOW if number >= self._limit else 0.0

    def count(self, *keys: str) -> None:
        """One more try. Counted before the password is looked at, so that many at once are many."""
        now = self._clock()
        for key in keys:
            number, since = self._failed.pop(key, (0, now))
            self._failed[key] = (1, now) if since + WINDOW <= now else (number + 1, since)
        while len(self._failed) > self._size:
            self._failed.popitem(last=False)

    def forget(self, *keys: str) -> None:
        for key in keys:
            self._failed.pop(key, None)


class Auth:
    """Constructed in the loop that uses it. What it knows is in `control`."""

    def __init__(
        self,
        control: Control,
        session: float = 12 * 3600.0,
        attempts: int = 5,
        clock: Callable[[], float] = time.time,
        hasher: PasswordHasher | None = None,
    ) -> None:
        self._control = control
        self._session = session
        self._clock = clock
        self._hasher = hasher or PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._nobody = self._hasher.hash(secrets.token_urlsafe(16))
        self._working = asyncio.Semaphore(AT_ONCE)
        self.attempts = Attempts(attempts, clock)

    def first_administrator(self) -> str | None:
        """Make `admin` when there is no user at all; the password, to be shown once, or None."""
        if self._control.find("user"):
            return None
        password = secrets.token_urlsafe(15)
        try:
            self.write_user("admin", "administrator", self._hasher.hash(password), ABSENT)
        except Conflict:
            return None
        return password

    def write_user(self, name: str, role: Role, hashed: str, expected: int | None) -> Document:
        return self._control.put("user", name, {"role": role, "password": hashed}, expected)

    async def hash(self, password: str) -> str:
        check_password(password)
        async with self._working:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def login(self, name: str, password: str, address: str) -> tuple[str, Principal]:
        """The session's cookie and whose it is. AuthError, after the same work, for whatever was wrong."""
        keys = f"address {address}", f"user {name[:64]}"
        wait = self.attempts.wait(*keys)
        if wait:
            raise AuthError(f"too many failed logins; try again in {wait / 60:.0f} minutes", wait)
        self.attempts.count(*keys)
        user = self._control.get("user", name)
        if not await self._is_password(
            user.body["password"] if user else self._nobody, password, user
        ):
            raise AuthError("wrong name or password")
        assert user is not None
        self.attempts.forget(*keys)
        return self._begin(user)

    async def _is_password(self, hashed: str, password: str, user: Document | None) -> bool:
        if len(password) > PASSWORD[1] or not is_text(password):
            return False
        async with self._working:
            try:
                return (
                    await asyncio.to_thread(self._hasher.verify, hashed, password)
                    and user is not None
                )
            except (Argon2Error, InvalidHashError):
                return False

    def _begin(self, user: Document) -> tuple[str, Principal]:
        cookie = secrets.token_urlsafe(32)
        id = fingerprint(cookie)
        # bound to the user's version: a new password or role ends the session
        body = {"user": user.id, "user_version": user.version}
        self._control.expire("session")
        self._control.put("session", id, body, expires=self._clock() + self._session)
        return cookie, Principal(user.id, user.body["role"], "session", id)

    def by_cookie(self, cookie: str) -> Principal | None:
        session = self._control.get("session", fingerprint(cookie))
        if session is None:
            return None
        user = self._control.get("user", session.body["user"])
        if user is None or user.version != session.body["user_version"]:
            return None
        return Principal(user.id, user.body["role"], "session", session.id)

    def by_token(self, token: str) -> Principal | None:
        """Found by its public half, compared in constant time."""
        if not token.isascii():
            return None
        id, _, _ = token.removeprefix(TOKEN_PREFIX).partition("_")
        document = self._control.get("token", id)
        kept = document.body["hash"] if document else "0" * 64
        if not hmac.compare_digest(kept, fingerprint(token)) or document is None:
            return None
        return Principal(f"token {document.body['name']}", document.body["role"], "token", id)

    def logout(self, principal: Principal) -> None:
        if principal.how == "session":
            self._control.remove("session", principal.secret)

    def new_token(self, name: str, role: Role, expires: float) -> tuple[str, Document]:
        """The token, shown this once, and its document."""
        id = secrets.token_hex(8)
        token = f"{TOKEN_PREFIX}{id}_{secrets.token_urlsafe(32)}"
        body = {"name": name, "role": role, "hash": fingerprint(token)}
        return token, self._control.put("token", id, body, ABSENT, expires)


def check_password(password: str) -> None:
    least, most = PASSWORD
    if not least <= len(password) <= most:
        raise AuthError(f"a password has {least} to {most} characters")
    if not is_text(password):
        raise AuthError("a password is text: half a character is none")


def is_text(given: str) -> bool:
    """JSON can carry halves of characters, which no encoding has."""
    return not any("\ud800" <= character <= "\udfff" for character in given)


def fingerprint(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def may(principal: Principal, role: Role) -> bool:
    """viewer < analyst < administrator; `source` is beside them: it may hand in events, nothing else."""
    if role == "source":
        return principal.role in ("source", "administrator")
    return RANK.get(principal.role, 0) >= RANK[role]
