"""Last: asks the upstreams. No answer from any becomes SERVFAIL with its EDE, status FAILED."""

from namewarden.query import Answer, Handler, Query, Verdict
from namewarden.wire.errors import Rcode, UpstreamError


def forward(ask: Handler) -> Handler:
    """`ask` is `Upstreams.ask`."""

    async def last(query: Query) -> Answer:
        try:
            return await ask(query)
        except UpstreamError as error:
            # The reason names our servers: it goes into the event, not to the client.
            verdict = Verdict("allow", "upstream", rule=error.reason)
            ede = ((error.ede_code, ""),)
            return Answer(Rcode.SERVFAIL, ede=ede, status="FAILED", verdict=verdict)

    return last
