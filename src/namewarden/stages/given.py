"""An answer that is there already, as what a stage returns.

So a stage that mostly passes on is a plain function and returns what follows as it is: each coroutine between listener
and upstream costs a frame at every step of a query.
"""

from namewarden.query import Answer


async def given(answer: Answer) -> Answer:
    return answer
