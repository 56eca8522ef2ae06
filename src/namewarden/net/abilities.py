"""What one server can, as its answers show: EDNS, cookies (RFC 7873, 9018), the echo of a question's case (0x20).

A question has all that its server is not known to fail at. `judge` says what an answer is worth by that. What a server
refuses is left out of the question asked again, and of all for `OFF` seconds where that helped. What it has shown
once is missed when an answer lacks it: such an answer is not believed, and TCP, where nobody off the path can speak,
decides whether it was a lie or the server has changed.
"""

import math
import time
from collections.abc import Callable

import structlog
from msgspec import Struct
from msgspec.structs import replace

from namewarden.net.dice import unguessable
from namewarden.query import Answer, Query
from namewarden.wire.errors import Rcode, UpstreamError
from namewarden.wire.message import PAIR, QR, echo, mixed, write_query

log = structlog.get_logger("upstream")
EDNS, COOKIE, MIXED = 1, 2, 4  # parts of a question's form
_NAMES = {EDNS: "EDNS", COOKIE: "cookies", MIXED: "mixed case"}
OFF = 900.0  # seconds; as long as Unbound remembers a server
DOUBTS = 3  # answers in a row that came only without it
DAY = 86_400.0  # seconds one client cookie is used (RFC 7873 §7.1 allows 36 days)
COOKIE_OPTION = 10
_CLIENT = 8  # octets of our half of a cookie
_COOKIES = range(16, 41)  # octets of both halves
_UNLIKELY = 8  # octets of a name that are not met by chance in another's data
_TRIAL = 8  # answers after which a server has shown what it can
_CANNOT = frozenset((int(Rcode.FORMERR), int(Rcode.NOTIMP)))
_BADCOOKIE = 23
_ODD = _CANNOT | {_BADCOOKIE}
_DEFINITE = frozenset((int(Rcode.NOERROR), int(Rcode.NXDOMAIN)))
_FOUR = 4  # octets of type and class behind the name


class AskAgain(UpstreamError):
    """The server has answered, and shall be asked in this form, or over TCP."""

    def __init__(self, reason: str, form: int, over_tcp: bool = False) -> None:
        super().__init__(reason, 23, hard=True)
        self.form = form
        self.over_tcp = over_tcp


class BadAnswer(UpstreamError):
    """The server has answered, with nothing that could be passed on."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, 23, hard=True)


class Wishes(Struct, frozen=True):
    """What to try beyond EDNS."""

    mixed_case: bool = True
    cookies: bool = True


ALL, NONE = Wishes(), Wishes(False, False)


class Asked(Struct):
    """A question as it left, and whether an answer came that was not believed."""

    query: Query
    question: bytes
    form: int
    is_forced: bool = False  # the form is what an answer called for
    is_doubted: bool = False


class Abilities:
    """Those of one server, shared by its transports."""

    def __init__(
        self,
        server: str = "",
        wishes: Wishes = NONE,
        draw: Callable[[], int] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.server = server
        self.clock = clock
        self.form = self._all = EDNS | COOKIE * wishes.cookies | MIXED * wishes.mixed_case
        self._draw = draw or unguessable("Q").__next__  # 64 bits
        self._settled = -1  # the form of all questions, once nothing is to be learnt
        self._demanded = b""  # the cookie that answers must have
        self._tried = 0  # answers since anything changed
        self._shown = 0  # parts that an answer has shown
        self._doubts: dict[int, int] = {}  # answers in a row that came only without a part
        self._review_at = math.inf  # when what is off is tried again, or the cookie is old
        self._client = b""
        self._cookie = b""  # the option as it should come back
        self._cookie_since = 0.0  # when our half was made

    # What leaves.

    def asked(self, query: Query, form: int | None = None) -> Asked:
        """The question in this form, or in that of all."""
        if self.clock() >= self._review_at:
            self._review()
        used = self.form if form is None else form
        question = mixed(query.question, self._draw()) if used & MIXED else query.question
        return Asked(query, question, used, form is not None)

    def _review(self) -> None:
        now = self.clock()
        self.form, self._review_at = self._all, math.inf
        self._unsettle()
        if self._cookie and now >= self._cookie_since + DAY:
            self._renew_cookie()
        elif self._cookie:
            self._review_at = self._cookie_since + DAY

    def again(self, asked: Asked) -> None:
        """The same question after silence: a box on the way may swallow what the server never showed that it knows."""
        lacking = COOKIE if self._shown & EDNS or asked.query.do else EDNS | COOKIE
        if not asked.is_forced:
            asked.form &= ~(lacking & ~self._shown)

    def message(self, asked: Asked, ident: int, payload: int) -> bytes:
        """What is sent."""
        form = asked.form
        if form & COOKIE and not self._cookie:
            self._renew_cookie()
        options = self._cookie if form & COOKIE else b""
        return write_query(asked.query, ident, payload * (form & EDNS), asked.question, options)

    # What comes back.

    def judge(
        self, asked: Asked, data: bytes, answer: Answer, over_tcp: bool
    ) -> Answer | UpstreamError | None:
        """What is to be believed; None: nothing, so waiting goes on."""
        if (
            asked.form == self._settled
            and answer.rcode in _DEFINITE
            and echo(data, asked.question, self._demanded) == 1
        ):
            return answer
        return self._judge(asked, data, answer, over_tcp)

    def _judge(
        self, asked: Asked, data: bytes, answer: Answer, over_tcp: bool
    ) -> Answer | UpstreamError | None:
        """The same where something is odd, or still to be learnt."""
        form = asked.form
        if form & MIXED and not _echoes(asked, data):
            if not over_tcp:
                return self._doubt(asked, MIXED)
            self._switch_off(MIXED)
        if answer.rcode in _ODD:
            refusal = self._refusal(asked, data, answer)
            if refusal is not answer:
                return refusal
        if form & COOKIE and answer.rcode in _DEFINITE and not self._has_cookie(data):
            if self._shown & COOKIE:
                if not over_tcp:
                    return self._doubt(asked, COOKIE)
                self._switch_off(COOKIE)
        self._learn(asked, data)
        return _in_the_clients_case(answer, asked)

    def _learn(self, asked: Asked, data: bytes) -> None:
        """An answer that is believed shows what the server can."""
        if asked.form & MIXED and is_mixed(asked.question) and _echoes(asked, data):
            self._shown |= MIXED
        if has_opt(data):
            self._shown |= EDNS
        if asked.form != self.form:
            self._worked_without(self.form & ~asked.form, asked.is_forced, has_opt(data))
            return
        self._doubts.clear()
        self._tried += 1
        if self._tried >= _TRIAL:
            if self.form & COOKIE & ~self._shown:
                self._leave_out(COOKIE)  # most servers have none
            self._settled = self.form

    def unreadable(self, asked: Asked, data: bytes, reason: str) -> UpstreamError | None:
        """An answer to this question that cannot be read: no other will come, unless it is a lie."""
        if asked.form & self._shown & MIXED and not _echoes(asked, data):
            return self._doubt(asked, MIXED)
        return BadAnswer(f"its answer cannot be read: {reason}")

    def bare(self, asked: Asked, data: bytes) -> UpstreamError | None:
        """A header with the right id and no question is no answer, but says that none will come."""
        _, flags = PAIR.unpack_from(data)
        if not flags & QR or data[4:6] != b"\0\0":
            return None
        rcode = flags & 15
        if rcode in _CANNOT and asked.form & EDNS:
            return AskAgain(f"rcode {rcode} to EDNS", asked.form & ~(EDNS | COOKIE))
        return BadAnswer(f"rcode {rcode} without the question")

    def miss(self, asked: Asked) -> AskAgain | None:
        """Time has passed, and what came was not believed: TCP shall decide."""
        return AskAgain("an answer was doubtful", asked.form, True) if asked.is_doubted else None

    def _doubt(self, asked: Asked, part: int) -> AskAgain | None:
        if self._shown & part:
            asked.is_doubted = True
            return None
        return AskAgain("an answer was doubtful", asked.form, True)

    def _refusal(self, asked: Asked, data: bytes, answer: Answer) -> Answer | UpstreamError | None:
        form = asked.form
        if answer.rcode == _BADCOOKIE and form & COOKIE:
            return AskAgain("BADCOOKIE", form) if self._take_cookie(data) else None
        if answer.rcode not in _CANNOT or not form & EDNS:
            return answer
        knows_edns = form & COOKIE and has_opt(data)
        less = COOKIE if knows_edns else EDNS | COOKIE
        return AskAgain(f"rcode {answer.rcode} to EDNS", form & ~less)

    def _worked_without(self, lacking: int, is_forced: bool, has_opt: bool) -> None:
        """An answer came to a question without some part: forced, it is proof, unless the server has shown it once."""
        if lacking & EDNS:
            lacking &= ~(EDNS * has_opt | COOKIE)
        for part in (EDNS, COOKIE, MIXED):
            if not lacking & part:
                continue
            self._doubts[part] = self._doubts.get(part, 0) + 1
            self._unsettle()
            is_proof = is_forced and part != MIXED and not self._shown & part
            if is_proof or self._doubts[part] >= DOUBTS:
                self._switch_off(part)

    def _switch_off(self, part: int) -> None:
        log.info("upstream is asked without", server=self.server, part=_NAMES[part])
        self._leave_out(part)

    def _leave_out(self, part: int) -> None:
        self.form &= ~(part | COOKIE if part == EDNS else part)
        self._shown &= ~part
        self._doubts.pop(part, None)
        self._unsettle()
        self._review_at = min(self._review_at, self.clock() + OFF)

    def _unsettle(self) -> None:
        self._settled, self._tried = -1, 0
        self._demanded = self._cookie if self.form & self._shown & COOKIE else b""

    def _has_cookie(self, data: bytes) -> bool:
        return self._cookie in data or self._take_cookie(data)

    def _take_cookie(self, data: bytes) -> bool:
        """Whether our half came back; the server's half is kept. 64 random bits are found in no other place."""
        at = data.find(self._client, 12)
        if at < 0:
            return False
        code, size = PAIR.unpack_from(data, at - PAIR.size)
        if code != COOKIE_OPTION or size not in _COOKIES or at + size > len(data):
            return False
        self._shown |= COOKIE
        self._cookie = self._demanded = PAIR.pack(COOKIE_OPTION, size) + data[at : at + size]
        return True

    def _renew_cookie(self) -> None:
        self._client = self._draw().to_bytes(_CLIENT)
        self._cookie = PAIR.pack(COOKIE_OPTION, _CLIENT) + self._client
        self._cookie_since = self.clock()
        self._review_at = min(self._review_at, self._cookie_since + DAY)
        self._unsettle()


def _echoes(asked: Asked, data: bytes) -> bool:
    return data[12 : 12 + len(asked.question)] == asked.question


def has_opt(data: bytes) -> bool:
    """Whether it looks so; records of an answer are not counted, for some were not kept."""
    return b"\0\0\x29" in data[12:]


def is_mixed(question: bytes) -> bool:
    """Neither all small nor all capital: who sends that back has echoed it."""
    name = question[:-_FOUR]
    return name not in (name.lower(), name.upper())


def _in_the_clients_case(answer: Answer, asked: Asked) -> Answer:
    """Where the name is written out in the records, it is as the client wrote it."""
    name = asked.question[:-_FOUR]
    if len(name) < _UNLIKELY or name not in answer.body:
        return answer
    return replace(answer, body=answer.body.replace(name, asked.query.question[:-_FOUR]))
