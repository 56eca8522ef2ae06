"""Upstreams started and stopped, and one question to them."""

from contextlib import asynccontextmanager

from namewarden.net.upstreams import Upstreams
from tests.asking import query, texts

TRUTH = ["192.0.2.99"]


@asynccontextmanager
async def upstreams(*servers, **options):
    made = Upstreams(servers, **options)
    made.start()
    try:
        yield made
    finally:
        made.stop()


async def ask(made, name="www.example.org", qtype="A", **options):
    asked = query(name, qtype, **options)
    answer = await made.ask(asked)
    return answer, texts(asked, answer)
