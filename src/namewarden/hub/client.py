"""The hub as the command line sees it: by its Unix socket on this machine, by URL and token from elsewhere."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from namewarden.hub.gate import API
from namewarden.hub.pauses import pause_id, pause_rule
from namewarden.policy.names import listed

TIMEOUT = httpx.Timeout(120.0, connect=5.0)
IN_FORCE_WITHIN = 10.0  # seconds; a policy of a million names takes longer, and that is said
RESOLVERS_TAKE = (
    0.3  # seconds: more than `watcher.py` needs to take what was published, on any system
)


class HubError(Exception):
    """The hub cannot be asked, or says no; the reason is for people."""


class HubClient:
    """A context manager. Everything, making it too, raises HubError."""

    def __init__(self, socket_path: Path | None = None, url: str = "", token: str = "") -> None:
        if not url and (socket_path is None or not socket_path.is_socket()):
            where = socket_path and socket_path.absolute()
            raise HubError(
                f"no hub runs here: there is no socket {where}; "
                "start `namewarden run`, or name its configuration with --config"
            )
        # No TLS there: to load the authorities' certificates takes longer than all the rest of a command.
        transport = None if url else httpx.HTTPTransport(uds=str(socket_path), verify=False)
        self._where = url or str(socket_path)
        self._http = httpx.Client(
            base_url=(url.rstrip("/") or "http://localhost") + API,
            transport=transport,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=TIMEOUT,
            trust_env=False,
        )

    def __enter__(self) -> "HubClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def queries(
        self, filters: dict[str, str], limit: int | None = None
    ) -> Iterator[dict[str, Any]]:
        """The event log, newest first, every match unless `limit` is given."""
        cursor, left = "", limit
        while left is None or left > 0:
            page = 1000 if left is None else min(left, 1000)
            asked = {**_given(filters), "limit": str(page), "cursor": cursor}
            answer = self._ask("GET", "/queries", params=asked)
            yield from answer["queries"]
            left = None if left is None else left - len(answer["queries"])
            cursor = answer["cursor"]
            if not cursor:
                return

    def export(
        self, filters: dict[str, str], format: str, limit: int | None = None
    ) -> Iterator[bytes]:
        """The same as csv or jsonl, streamed."""
        asked = {**_given(filters), "format": format}
        if limit is not None:
            asked["limit"] = str(limit)
        try:
            with self._http.stream("GET", "/queries/export", params=asked) as answer:
                if answer.status_code != 200:
                    answer.read()
                    raise HubError(_reason(answer))
                yield from answer.iter_bytes()
        except httpx.HTTPError as problem:
            raise HubError(f"{self._where}: {problem}") from problem

    def decide(
        self, name: str, verdict: str, expires_in: str = "", reason: str = "", match: str = "exact"
    ) -> dict[str, Any]:
        """`benign` (allow), `malicious` (deny) or `honeypot`."""
        body = {"verdict": verdict, "reason": reason, "match": match}
        if expires_in:
            body["expires_in"] = expires_in
        return self._ask("PUT", _decision(name), json=body)

    def decisions(self) -> list[dict[str, Any]]:
        """All that are in force, by name."""
        found: list[dict[str, Any]] = self._ask("GET", "/decisions")["decisions"]
        return sorted(found, key=lambda each: each["name"])

    def undo(self, name: str) -> dict[str, Any]:
        """Take back what was decided about a name."""
        return self._ask("DELETE", _decision(name))

    def pause(self, time: str, group: str = "") -> dict[str, Any]:
        """Let every name pass for so long, for the clients of a group or for all."""
        if group and group not in (known := self.known("group")):
            raise HubError(f"there is no group {group} (groups: {', '.join(known)})")
        return self._ask("PUT", f"/rules/{pause_id(group)}", json=pause_rule(group, time))

    def resume(self, group: str = "") -> bool:
        """End it. False: there was none."""
        was_paused = group in [each["group"] for each in self.pauses()]
        if was_paused:
            self._ask("DELETE", f"/rules/{pause_id(group)}")
        return was_paused

    def pauses(self) -> list[dict[str, Any]]:
        """Those that hold now: for whom ("" = all), and until when."""
        found: list[dict[str, Any]] = self._ask("GET", "/status")["pauses"]
        return found

    def refresh(self, names: list[str], wait: float) -> list[dict[str, Any]]:
        """Download lists now, all where none is named; how each of them goes after `wait` seconds at most."""
        asked = {"lists": names, "wait": wait}
        found: list[dict[str, Any]] = self._ask("POST", "/lists/refresh", json=asked)["lists"]
        return found

    def lists(self) -> list[dict[str, Any]]:
        """All, with how they go."""
        found: list[dict[str, Any]] = self._ask("GET", "/lists")["lists"]
        return found

    def known(self, word: str) -> list[str]:
        """Groups there are, or sources that report."""
        if word == "group":
            return [each["name"] for each in self._ask("GET", "/groups")["groups"]]
        return sorted({each["source"] for each in self._ask("GET", "/status")["sources"]})

    def until_in_force(self, seconds: float = IN_FORCE_WITHIN) -> str:
        """Wait until resolvers act by all that was decided. Returns "", or why they do not yet."""
        end = time.monotonic() + seconds
        while (found := self._ask("GET", "/lists"))["snapshot"]["pending"]:
            if found["problem"] or time.monotonic() > end:
                return found["problem"] or "the policy is still being compiled"
            time.sleep(0.1)
        time.sleep(RESOLVERS_TAKE)
        return ""

    def health(self) -> dict[str, Any]:
        """What `/ready` says, ready or not."""
        return self._ask("GET", "/ready", fine=(200, 503))

    def problems(self) -> list[str]:
        """What is wrong, in full; without a login what everybody may know."""
        try:
            return list(self._ask("GET", "/status")["problems"])
        except HubError:
            return list(self.health()["notes"])

    def get(self, path: str, **params: str) -> dict[str, Any]:
        """Any other resource, such as `/lists`."""
        return self._ask("GET", path, params=params)

    def _ask(
        self, method: str, path: str, fine: tuple[int, ...] = (200, 201), **more: Any
    ) -> dict[str, Any]:
        try:
            answer = self._http.request(method, path, **more)
        except httpx.HTTPError as problem:
            raise HubError(
                f"the hub does not answer at {self._where}: {problem}; does `namewarden run` run?"
            ) from problem
        if answer.status_code not in fine:
            raise HubError(_reason(answer))
        found: dict[str, Any] = answer.json()
        return found


def _decision(name: str) -> str:
    """Its path. The name is checked here too: `.` or a URL would be the path of something else."""
    if listed(name) is None:
        raise HubError(f"name: {name[:100]!r} is no domain name such as bad.example.org")
    return f"/decisions/{quote(name, safe='')}"


def _given(filters: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in filters.items() if value}


def _reason(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the hub answered {answer.status_code}"
