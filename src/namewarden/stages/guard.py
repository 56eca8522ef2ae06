"""Outermost: a bug below becomes SERVFAIL, a traceback in the log and a count, never silence or a dead loop."""

from dataclasses import dataclass

import structlog

from namewarden.query import Answer, Handler, Query, Stage, Verdict
from namewarden.wire.errors import Rcode

FAULT = Verdict("allow", "fault")
OTHER_ERROR = (0, "")  # RFC 8914 §4.1: what went wrong here is nobody's business outside

log = structlog.get_logger("guard")


@dataclass
class Faults:
    """Bugs met since the start. More than none is worth a look at the log."""

    count: int = 0


def guard(faults: Faults) -> Stage:
    async def stage(query: Query, following: Handler) -> Answer:
        try:
            return await following(query)
        except Exception:
            faults.count += 1
            log.exception("fault", name=query.name, qtype=query.qtype, client=query.client)
            return Answer(Rcode.SERVFAIL, ede=(OTHER_ERROR,), status="FAILED", verdict=FAULT)

    return stage
