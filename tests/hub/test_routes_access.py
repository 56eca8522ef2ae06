"""Users, tokens and the audit over HTTP."""

from pathlib import Path

from namewarden.hub.api import build
from tests.hub.made import PASSWORD, at_socket, http, logged_in, services, user, with_token

NEW = "another long password"


async def test_log_in_look_and_log_out(tmp_path: Path) -> None:
    async with services(tmp_path) as parts:
        user(parts, "ada", "analyst")
        async with logged_in(build(parts), "ada") as client:
            assert (await client.get("/api/v1/session")).json() == {
                "name": "ada", "role": "analyst", "how": "session",
            }  # fmt: skip
            assert (await client.get("/api/v1/queries")).status_code == 200
            assert (await client.post("/api/v1/logout", json={})).status_code == 200
            assert (await client.get("/api/v1/session")).status_code == 401


async def test_guessing_ends_after_a_few_tries(tmp_path: Path) -> None:
    async with services(tmp_path, attempts=3) as parts, http(build(parts)) as client:
        user(parts, "ada", "analyst")
        guess = {"name": "ada", "password": "wrong password"}
        codes = [(await client.post("/api/v1/login", json=guess)).status_code for _ in range(5)]
        assert codes == [401, 401, 401, 429, 429]
        answer = await client.post("/api/v1/login", json={"name": "ada", "password": PASSWORD})
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 800


async def test_odd_names_are_refused_not_stumbled_over(tmp_path: Path) -> None:
    async with services(tmp_path) as parts, http(build(parts)) as client:
        headers = {"Content-Type": "application/json"}
        for text in (
            b'{"name": "\\ud800", "password": "x"}',
            b'{"name": "a\\u0000", "password": "x"}',
            b"[]",
            b"{",
            b"\xff",
        ):
            answer = await client.post("/api/v1/login", content=text, headers=headers)
            assert answer.status_code in (400, 401, 422), answer.text


async def test_one_changes_ones_own_password(tmp_path: Path) -> None:
    async with services(tmp_path) as parts:
        user(parts, "ada", "viewer")
        app = build(parts)
        async with logged_in(app, "ada") as client:
            path = "/api/v1/session/password"
            wrong = await client.post(path, json={"old": "wrong password", "new": NEW})
            short = await client.post(path, json={"old": PASSWORD, "new": "short"})
            assert (wrong.status_code, short.status_code) == (403, 403)
            assert (await client.post(path, json={"old": PASSWORD, "new": NEW})).status_code == 200
            assert (await client.get("/api/v1/session")).status_code == 401
        async with logged_in(app, "ada", NEW) as client:
            assert (await client.get("/api/v1/session")).json()["name"] == "ada"


async def test_users_are_made_changed_and_removed(tmp_path: Path) -> None:
    async with services(tmp_path) as parts, at_socket(app := build(parts)) as client:
        made = await client.put("/api/v1/users/bob", json={"role": "viewer", "password": NEW})
        assert made.status_code == 200
        stale = await client.put("/api/v1/users/bob", json={"role": "analyst", "version": 999})
        assert stale.status_code == 409
        assert "changed meanwhile" in stale.json()["detail"]
        headers = {"If-Match": f'"{made.json()["version"]}"'}
        assert (
            await client.put("/api/v1/users/bob", json={"role": "analyst"}, headers=headers)
        ).status_code == 200
        async with logged_in(app, "bob", NEW) as bob:
            assert (await bob.get("/api/v1/session")).json()["role"] == "analyst"
        found = (await client.get("/api/v1/users")).json()["users"]
        assert [(u["name"], u["role"]) for u in found] == [("bob", "analyst")]
        assert "argon2" not in str(found)
        assert (await client.delete("/api/v1/users/bob")).status_code == 200
        assert (await client.delete("/api/v1/users/bob")).status_code == 404
        for body in (
            {"role": "source", "password": NEW},
            {"role": "viewer"},
            {"role": "king", "password": NEW},
        ):
            assert (await client.put("/api/v1/users/eve", json=body)).status_code == 422
        short = await client.put("/api/v1/users/eve", json={"role": "viewer", "password": "short"})
        assert short.status_code == 403


async def test_the_last_administrator_stays(tmp_path: Path) -> None:
    async with services(tmp_path) as parts, at_socket(build(parts)) as client:
        user(parts, "ada", "administrator")
        assert (await client.delete("/api/v1/users/ada")).status_code == 409
        assert (await client.put("/api/v1/users/ada", json={"role": "viewer"})).status_code == 409
        user(parts, "bob", "administrator")
        assert (await client.delete("/api/v1/users/ada")).status_code == 200


async def test_a_token_is_shown_once_works_and_is_taken_back(tmp_path: Path) -> None:
    async with services(tmp_path) as parts, at_socket(app := build(parts)) as client:
        body = {"name": "grafana", "role": "viewer", "expires_in": "30d"}
        made = (await client.post("/api/v1/tokens", json=body)).json()
        listed = await client.get("/api/v1/tokens")
        assert made["token"] not in listed.text
        assert [t["name"] for t in listed.json()["tokens"]] == ["grafana"]
        async with http(app, headers={"Authorization": f"Bearer {made['token']}"}) as program:
            assert (await program.get("/api/v1/metrics")).status_code == 200
            assert (await client.delete(f"/api/v1/tokens/{made['id']}")).status_code == 200
            assert (await program.get("/api/v1/metrics")).status_code == 401
        assert (await client.delete(f"/api/v1/tokens/{made['id']}")).status_code == 404
        bad = await client.post("/api/v1/tokens", json={"name": "x", "expires_in": "soon"})
        assert bad.status_code == 422


async def test_the_audit_says_who_changed_what_and_no_secret(tmp_path: Path) -> None:
    async with services(tmp_path) as parts, at_socket(app := build(parts)) as client:
        await client.put("/api/v1/users/bob", json={"role": "analyst", "password": NEW})
        async with logged_in(app, "bob", NEW) as bob:
            await bob.put("/api/v1/decisions/a.example.org", json={"verdict": "benign"})
        audit = (await client.get("/api/v1/audit")).json()["audit"]
        assert [(a["who"], a["what"], a["subject"]) for a in audit] == [
            ("bob", "put decision", "a.example.org."),
            ("local administrator", "put user", "bob"),
        ]
        assert NEW not in str(audit)


async def test_only_who_has_a_password_changes_one(tmp_path: Path) -> None:
    async with services(tmp_path) as parts, with_token(build(parts), parts, "viewer") as client:
        answer = await client.post("/api/v1/session/password", json={"old": "x", "new": NEW})
        assert answer.status_code == 403
