"""The chain: top to bottom, each stage around what is below it; the verdict API's chain asks nobody."""

from dataclasses import fields

from namewarden.chain import PACKET_CACHE, Stages, compose, judging, judging_answer, resolving
from namewarden.query import Answer, Event, Query

QUERY = Query(1, "a.example.org.", 1, "192.0.2.1", "udp", 0.0, b"")


def naming(name, seen):
    async def stage(query, following):
        seen.append(name)
        return await following(query)

    return stage


def stages(seen):
    async def last(query):
        seen.append("forward")
        return Answer(0)

    stages = {f.name: naming(f.name, seen) for f in fields(Stages) if f.name != "forward"}
    return Stages(**stages, forward=last)


async def test_every_stage_is_passed_in_the_order_of_the_page():
    seen = []
    await resolving(stages(seen))(QUERY)
    assert seen == [field.name for field in fields(Stages)]


async def test_the_verdict_api_judges_and_neither_records_nor_asks():
    seen = []

    async def no_opinion(query):
        return Answer(0)

    await judging(stages(seen), no_opinion)(QUERY)
    assert seen == ["guard", "groups", "local", "lists", "verdict"]


async def test_who_cannot_record_is_recorded_here():
    seen, event = [], naming("event", [])

    async def no_opinion(query):
        return Answer(0)

    async def record(query, following):
        seen.append("here")
        return await event(query, following)

    await judging(stages(seen), no_opinion, [record])(QUERY)
    assert seen == ["guard", "groups", "here", "local", "lists", "verdict"]


async def test_an_answer_is_judged_without_the_model():
    seen = []

    async def given(query):
        return Answer(0)

    await judging_answer(stages(seen), given)(QUERY)
    assert seen == ["guard", "groups", "local", "rebinding", "lists", "screen"]


async def test_who_answers_is_the_last_to_be_asked():
    async def answers(query, following):
        return Answer(5)

    async def never(query):
        raise AssertionError("nobody is below")

    assert (await compose([answers], never)(QUERY)).rcode == 5


def test_every_stage_says_what_the_packet_cache_does_in_its_place():
    assert list(PACKET_CACHE) == [field.name for field in fields(Stages)]
    assert all(said.validity for said in PACKET_CACHE.values())
    filled = {field for said in PACKET_CACHE.values() for field in said.record}
    assert filled == set(Event.__struct_fields__)
