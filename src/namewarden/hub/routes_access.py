"""Login and logout, users, tokens, the audit."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from namewarden.hub.auth import COOKIE, AuthError, Role, check_password
from namewarden.hub.control import ABSENT
from namewarden.hub.gate import ApiError
from namewarden.hub.services import HubServices, Services, Who, needs, note
from namewarden.hub.version import expected_version
from namewarden.hub.when import duration

router = APIRouter(tags=["access"])
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$")]
IfMatch = Annotated[str | None, Header()]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Login(Body):
    name: str = Field(max_length=64)
    password: SecretStr = Field(max_length=256)


class User(Body):
    role: Role
    password: SecretStr | None = Field(None, max_length=256)
    version: int | None = None


class Token(Body):
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_. -]{0,63}$")
    role: Role = "viewer"
    expires_in: str | None = None


class Passwords(Body):
    old: SecretStr = Field(max_length=256)
    new: SecretStr = Field(max_length=256)


@router.post("/login")
async def login(
    body: Login, request: Request, response: Response, services: HubServices
) -> dict[str, str]:
    """Name and password → a session cookie."""
    address = request.client.host if request.client else "socket"
    try:
        cookie, who = await services.auth.login(
            body.name, body.password.get_secret_value(), address
        )
    except AuthError as problem:
        raise ApiError(429 if problem.wait else 401, str(problem), problem.wait) from problem
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, cookie, httponly=True, samesite="strict", secure=secure, path="/")
    return {"name": who.name, "role": who.role}


@router.post("/logout")
def logout(who: Who, response: Response, services: HubServices) -> dict[str, bool]:
    services.auth.logout(who)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return {"ok": True}


@router.get("/session")
def session(who: Who) -> dict[str, str]:
    """Who asks."""
    return {"name": who.name, "role": who.role, "how": who.how}


@router.post("/session/password")
async def change_password(
    body: Passwords, who: Who, request: Request, services: HubServices
) -> dict[str, bool]:
    """One's own; all sessions of the user end."""
    user = services.control.get("user", who.name) if who.how == "session" else None
    if user is None:
        raise ApiError(403, "only who logged in with a password has one to change")
    address = request.client.host if request.client else "socket"
    new = body.new.get_secret_value()
    check_password(new)
    _, checked = await services.auth.login(who.name, body.old.get_secret_value(), address)
    services.auth.logout(checked)
    hashed = await services.auth.hash(new)
    services.auth.write_user(user.id, user.body["role"], hashed, user.version)
    note(services, who, "password", user.id, {})
    return {"ok": True}


@router.get("/users", dependencies=[needs("administrator")])
def users(services: HubServices) -> dict[str, Any]:
    return {
        "users": [_user(d.id, d.body["role"], d.version) for d in services.control.find("user")]
    }


@router.put("/users/{name}", dependencies=[needs("administrator")])
async def put_user(
    name: Name, body: User, who: Who, services: HubServices, if_match: IfMatch = None
) -> dict[str, Any]:
    """Make or change one. Without a password the old one stays; a change ends the user's sessions."""
    if body.role == "source":
        raise ApiError(422, "role: source is for tokens (viewer, analyst, administrator)")
    user = services.control.get("user", name)
    if user is None and body.password is None:
        raise ApiError(422, "password: a new user needs one")
    if user is not None and body.role != "administrator":
        _keep_an_administrator(services, name)
    hashed = user.body["password"] if user else ""
    if body.password is not None:
        hashed = await services.auth.hash(body.password.get_secret_value())
    expected = expected_version(if_match, body.version, user.version if user else ABSENT)
    document = services.auth.write_user(name, body.role, hashed, expected)
    note(services, who, "put user", name, {"role": body.role})
    return _user(name, body.role, document.version)


@router.delete("/users/{name}", dependencies=[needs("administrator")])
def delete_user(
    name: Name, who: Who, services: HubServices, if_match: IfMatch = None
) -> dict[str, bool]:
    _keep_an_administrator(services, name)
    if not services.control.remove("user", name, expected_version(if_match, None, None)):
        raise ApiError(404, f"there is no user {name}")
    note(services, who, "delete user", name, {})
    return {"ok": True}


@router.get("/tokens", dependencies=[needs("administrator")])
def tokens(services: HubServices) -> dict[str, Any]:
    """Without the tokens themselves: only their hashes are kept."""
    return {
        "tokens": [
            {"id": d.id, "name": d.body["name"], "role": d.body["role"], "expires": d.expires}
            for d in services.control.find("token")
        ]
    }


@router.post("/tokens", dependencies=[needs("administrator")], status_code=201)
def post_token(body: Token, who: Who, services: HubServices) -> dict[str, Any]:
    """The answer holds the token, this once."""
    try:
        expires = services.clock() + duration(body.expires_in) if body.expires_in else 0.0
    except ValueError as problem:
        raise ApiError(422, f"expires_in: {problem}") from problem
    token, document = services.auth.new_token(body.name, body.role, expires)
    note(services, who, "new token", document.id, {"name": body.name, "role": body.role})
    return {
        "id": document.id, "name": body.name, "role": body.role, "expires": expires, "token": token,
    }  # fmt: skip


@router.delete("/tokens/{id}", dependencies=[needs("administrator")])
def delete_token(id: Name, who: Who, services: HubServices) -> dict[str, bool]:
    if not services.control.remove("token", id):
        raise ApiError(404, f"there is no token {id}")
    note(services, who, "delete token", id, {})
    return {"ok": True}


@router.get("/audit", dependencies=[needs("administrator")])
def audit(services: HubServices, limit: int = 100) -> dict[str, Any]:
    """Who changed what, newest first."""
    found = services.control.latest("audit", max(1, min(limit, 1000)))
    return {"audit": [{"time": d.changed, **d.body} for d in found]}


def _user(name: str, role: str, version: int) -> dict[str, Any]:
    return {"name": name, "role": role, "version": version}


def _keep_an_administrator(services: Services, name: str) -> None:
    others = [
        d
        for d in services.control.find("user")
        if d.body["role"] == "administrator" and d.id != name
    ]
    user = services.control.get("user", name)
    if user is not None and user.body["role"] == "administrator" and not others:
        raise ApiError(409, f"{name} is the last administrator")
