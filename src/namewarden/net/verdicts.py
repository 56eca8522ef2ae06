"""The verdict API: `POST /api/v1/verdicts` over HTTP/1.1, for servers that are not ours (CoreDNS, the hub).

It runs the same chain as the DNS listeners, with "no opinion" as last handler, and needs no hub. TCP wants a bearer
token, the Unix socket's permissions are its password. `GET /api/v1/generation` tells when verdicts may be others.
"""

import asyncio
import hmac
import itertools
import math
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from http import HTTPStatus

import msgspec

from namewarden.net import eager, http
from namewarden.net.http import HttpError, HttpServer, Reply, Request
from namewarden.net.listener import Reaches, settled
from namewarden.net.verdict_form import (
    Spell,
    VerdictQuery,
    VerdictReply,
    no_name,
    read_batch,
    to_answer,
    to_query,
    to_reply,
)
from namewarden.query import Answer, Query
from namewarden.wire.errors import WireError

PATH = "/api/v1/verdicts"
GENERATION_PATH = "/api/v1/generation"
AT_ONCE = 128  # names judged side by side: more would wait for the model past its deadline
LONGEST_WAIT = 30.0  # seconds for another generation
Judged = tuple[Query, Answer | None]  # what is judged: the name, or the answer that it has


class Limits(http.Limits, frozen=True):
    """What one caller, and all of them, may take."""

    body: int = 1024 * 1024  # bytes
    batch: int = 1024  # names
    requests: int = 32  # being judged at a time
    waiters: int = 64  # for another generation


@dataclass(frozen=True)
class VerdictServing:
    """What the listener serves with."""

    judge: Callable[[Query], Awaitable[Answer]]  # a name
    judge_answer: Callable[[Query, Answer], Awaitable[Answer]]  # what it is about to be answered
    generation: Callable[[], str]  # of all that verdicts are made of
    token_hashes: Callable[[], Sequence[str]]  # of who may ask by TCP
    run: str  # of this process: makes ids unique
    spell: Spell = str
    scope_of: Callable[[str], tuple[str, str]] | None = None  # a client's group and scope


class VerdictListener:
    """Serves on sockets that are bound already."""

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        serving: VerdictServing,
        limits: Limits | None = None,
    ) -> None:
        self._serving = serving
        self._limits = limits or Limits()
        self._server = HttpServer(sockets, self._answer, self._limits)
        self._numbers = itertools.count(1)
        self._requests = 0
        self._waiters: set[asyncio.Event] = set()
        self._is_stopping = False

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        self._is_stopping = True
        self._server.stop()
        self.forget()
        await settled(lambda: not (self._requests or self._waiters))

    def forget(self, reaches: Reaches | None = None) -> None:
        """Nothing is kept: each request is judged. Who waits for another generation may have it now."""
        for waiter in self._waiters:
            waiter.set()

    def is_busy(self) -> bool:
        return False

    async def _answer(self, request: Request) -> Reply:
        route, method = self._route(request.path)
        if not request.trusted:
            self._check_token(request.header(b"authorization"))
        if request.method != method.encode():
            raise HttpError(HTTPStatus.METHOD_NOT_ALLOWED, f"ask with {method}", ("Allow", method))
        return HTTPStatus.OK, await route(request), ()

    def _route(self, path: str) -> tuple[Callable[[Request], Awaitable[bytes]], str]:
        if path == PATH:
            return self._verdicts, "POST"
        if path == GENERATION_PATH:
            return self._generation, "GET"
        raise HttpError(HTTPStatus.NOT_FOUND, f"only {PATH} and {GENERATION_PATH} are here")

    def _check_token(self, header: bytes) -> None:
        kind, _, token = header.partition(b" ")
        given = sha256(token.strip()).hexdigest()
        # Every hash is compared, so that the time says nothing about which one fits.
        fits = [hmac.compare_digest(given, known) for known in self._serving.token_hashes()]
        if kind.lower() != b"bearer" or not any(fits):
            raise HttpError(
                HTTPStatus.UNAUTHORIZED,
                "a bearer token of this installation is needed",
                ("WWW-Authenticate", "Bearer"),
            )

    async def _verdicts(self, request: Request) -> bytes:
        body = await request.body(self._limits.body)
        if self._requests >= self._limits.requests:
            raise _too_many("too many requests at a time")
        judged = self._judged(read_batch(body, self._limits.batch))
        generation = self._serving.generation()  # not a newer one: some may be judged before it
        self._requests += 1
        try:
            async with asyncio.timeout(self._limits.seconds):
                said = [
                    said
                    for start in range(0, len(judged), AT_ONCE)
                    for said in await self._side_by_side(judged[start : start + AT_ONCE])
                ]
        except TimeoutError:
            raise HttpError(HTTPStatus.SERVICE_UNAVAILABLE, "judging took too long") from None
        finally:
            self._requests -= 1
        return msgspec.json.encode({"verdicts": said, "generation": generation})

    def _judged(self, asked: list[VerdictQuery]) -> list[Judged | VerdictReply]:
        """What is no name is answered in its place, unless nothing else was asked."""
        now = asyncio.get_running_loop().time()
        made: list[Judged | VerdictReply] = []
        spell = self._serving.spell
        for at, each in enumerate(asked):
            try:
                given = None if each.answer is None else to_answer(at, each.answer, spell)
                made.append((to_query(at, each, spell, now), given))
            except WireError as error:
                if len(asked) == 1:
                    raise HttpError(HTTPStatus.BAD_REQUEST, f"queries[{at}]: {error}") from error
                made.append(no_name(self._identity(), each.name, str(error)))
        return made

    async def _side_by_side(self, judged: list[Judged | VerdictReply]) -> list[VerdictReply]:
        waiting = [self._judge(*each) for each in judged if isinstance(each, tuple)]
        answers = iter(await _all(waiting))
        return [
            self._reply(each[0], next(answers)) if isinstance(each, tuple) else each
            for each in judged
        ]

    def _reply(self, query: Query, answer: Answer) -> VerdictReply:
        reply = to_reply(self._identity(), query, answer, time.time())
        if self._serving.scope_of is not None:
            reply.group, reply.scope = self._serving.scope_of(query.client)
        return reply

    def _judge(self, query: Query, given: Answer | None) -> Awaitable[Answer]:
        if given is None:
            return self._serving.judge(query)
        return self._serving.judge_answer(query, given)

    def _identity(self) -> str:
        return f"{self._serving.run}-{next(self._numbers)}"

    async def _generation(self, request: Request) -> bytes:
        await request.body(0)
        words = request.words()
        seconds = _wait(words.get("wait", "0"))
        if self._serving.generation() == words.get("known", "") and seconds > 0:
            await self._until_another(request, words["known"], seconds)
        return msgspec.json.encode({"generation": self._serving.generation()})

    async def _until_another(self, request: Request, known: str, seconds: float) -> None:
        """Until the generation is not `known`, the time is over, the caller hangs up, or we stop."""
        if len(self._waiters) >= self._limits.waiters:
            raise _too_many("too many wait for another generation")
        waiter = asyncio.Event()
        self._waiters.add(waiter)
        try:
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
                leaving = group.create_task(_leave(request, waiter))
                while self._serving.generation() == known and not self._is_stopping:
                    waiter.clear()
                    await waiter.wait()
                    if leaving.done():
                        return
                leaving.cancel()
        except TimeoutError:
            return
        finally:
            self._waiters.discard(waiter)


async def _all(judging: Sequence[Awaitable[Answer]]) -> list[Answer]:
    """As `gather`, without a task for each: most are judged at once."""
    answers: list[Answer | None] = [None] * len(judging)
    waiting: eager.Waiting = set()
    over = asyncio.get_running_loop().create_future()
    left = len(judging)

    def keep(place: int, answer: Answer) -> None:
        nonlocal left
        answers[place] = answer
        left -= 1
        if not left and not over.done():
            over.set_result(None)

    try:
        for place, each in enumerate(judging):
            eager.run(each, partial(keep, place), waiting)
        if left:
            await over
    finally:
        for suspended in list(waiting):  # it took too long
            suspended.cancel()
    return [answer for answer in answers if answer is not None]


async def _leave(request: Request, waiter: asyncio.Event) -> None:
    with suppress(OSError):
        await request.left()
    waiter.set()


def _wait(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= LONGEST_WAIT:
        raise HttpError(
            HTTPStatus.BAD_REQUEST, f"wait is a number of seconds from 0 to {LONGEST_WAIT:g}"
        )
    return seconds


def _too_many(message: str) -> HttpError:
    return HttpError(HTTPStatus.TOO_MANY_REQUESTS, message, ("Retry-After", "1"))
