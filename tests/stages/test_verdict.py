"""The model's link: who is scored, what each verdict does to the query, and that nothing holds it up."""

import asyncio

import pytest

from namewarden.detector.batcher import Batcher
from namewarden.detector.judge import ModelPolicy
from namewarden.detector.label import Labels
from namewarden.query import Answer, Query, Verdict
from namewarden.stages.verdict import verdict
from tests.detector.scorers import Lengths

LABELS = Labels(["ddns.net"])
MALICIOUS = "m" * 60 + ".org."
UNCERTAIN = "u" * 40 + ".org."
FORWARDED = Answer(0, upstream="udp://192.0.2.53:53")


def query(name, **more):
    return Query(1, name, 1, "192.0.2.9", "udp", 100.0, b"", **more)


async def forward(query):
    return FORWARDED


def blocked(query, said):
    return Answer(3, status="BLOCKED", verdict=said)


@pytest.fixture
def scorer():
    made = Lengths()
    yield made
    made.go.set()


@pytest.fixture
def deadline():
    return 5.0


@pytest.fixture
async def batcher(scorer, deadline):
    made = Batcher(scorer, deadline)
    made.start()
    yield made
    scorer.go.set()
    made.stop()


@pytest.fixture
def stage(batcher):
    model_policies = {
        "default": ModelPolicy(),
        "off": ModelPolicy(mode="off"),
        "shadow": ModelPolicy(mode="shadow"),
        "honeypot": ModelPolicy(redirect=("192.0.2.1",)),
    }

    def build(guard=frozenset()):
        return verdict(LABELS, batcher, model_policies.__getitem__, guard.__contains__, blocked)

    return build


@pytest.mark.parametrize(
    ("name", "group", "action", "reason", "status"),
    [
        ("example.org.", "default", "allow", "model_benign", "FORWARDED"),
        (UNCERTAIN, "default", "review", "model_uncertain", "FORWARDED"),
        (MALICIOUS, "default", "block", "model_malicious", "BLOCKED"),
        (MALICIOUS, "honeypot", "redirect", "model_malicious", "BLOCKED"),
        (MALICIOUS, "shadow", "flag", "model_malicious", "FORWARDED"),
        (MALICIOUS, "off", "allow", "model_off", "FORWARDED"),
        ("m" * 60 + ".netlify.app.", "default", "review", "private_suffix", "FORWARDED"),
        ("m" * 60 + ".ddns.net.", "default", "block", "model_malicious", "BLOCKED"),
        ("1.0.0.127.in-addr.arpa.", "default", "allow", "unscored", "FORWARDED"),
        ("\\000\\255.", "default", "allow", "unscored", "FORWARDED"),
    ],
)
async def test_verdict_by_name_and_group(stage, name, group, action, reason, status):
    answer = await stage()(query(name, group=group), forward)
    assert (answer.verdict.action, answer.verdict.reason, answer.status) == (action, reason, status)
    assert (answer.upstream == FORWARDED.upstream) == (status == "FORWARDED")


async def test_an_allow_from_above_is_not_scored(stage, scorer):
    allowed = query(MALICIOUS, allowed=Verdict("allow", "rule_allow"))
    assert await stage()(allowed, forward) is FORWARDED
    assert scorer.batches == []


async def test_a_guarded_name_passes_with_its_score(stage):
    answer = await stage(guard={MALICIOUS})(query(MALICIOUS), forward)
    said = answer.verdict
    assert (said.action, said.reason, said.band) == ("allow", "guard", "malicious")
    assert said.score > 0.98


async def test_a_verdict_from_below_stands(stage):
    denied = Answer(3, status="BLOCKED_CNAME", verdict=Verdict("block", "cname_deny"))

    async def screened(query):
        return denied

    assert await stage()(query("example.org."), screened) is denied


@pytest.mark.parametrize("deadline", [0.01])
async def test_a_late_model_lets_the_name_pass(stage, scorer, batcher):
    scorer.go.clear()
    answer = await stage()(query(MALICIOUS), forward)
    assert (answer.verdict.action, answer.verdict.reason) == ("allow", "model_late")
    assert batcher.counts.late == 1


async def test_in_shadow_the_answer_is_fetched_while_the_model_thinks(stage, scorer):
    async def fetched(query):
        scorer.go.set()  # the model goes on when the upstream is asked, not before
        await asyncio.sleep(0.01)
        return FORWARDED

    scorer.go.clear()
    answering = stage()(query(MALICIOUS, group="shadow"), fetched)
    answer = await asyncio.wait_for(answering, 5)
    said = answer.verdict
    assert (said.action, said.reason, said.shadow) == ("flag", "model_malicious", "block")
    assert (answer.upstream, said.band) == (FORWARDED.upstream, "malicious") and said.score > 0.98


async def test_in_shadow_the_score_is_waited_for_when_the_answer_is_there_first(stage, scorer):
    scorer.go.clear()
    asyncio.get_running_loop().call_later(0.02, scorer.go.set)
    answer = await stage()(query(UNCERTAIN, group="shadow"), forward)
    assert (answer.verdict.action, answer.verdict.band) == ("review", "uncertain")


@pytest.mark.parametrize("deadline", [0.02])
async def test_in_shadow_a_late_model_delays_no_answer_further(stage, scorer, batcher):
    async def slow(query):
        await asyncio.sleep(0.1)
        return FORWARDED

    scorer.go.clear()
    answer = await stage()(query(MALICIOUS, group="shadow"), slow)
    assert answer.verdict.reason == "model_late" and batcher.counts.late == 1


async def test_in_shadow_what_is_denied_below_waits_for_no_score(stage, scorer):
    denied = Answer(3, status="BLOCKED_CNAME", verdict=Verdict("block", "cname_deny"))

    async def screened(query):
        return denied

    scorer.go.clear()
    assert await stage()(query("example.org.", group="shadow"), screened) is denied


@pytest.mark.parametrize("fails", [ValueError, asyncio.CancelledError])
async def test_in_shadow_no_name_is_scored_for_a_query_that_ended(stage, scorer, batcher, fails):
    async def failing(query):
        raise fails

    scorer.go.clear()
    first = batcher.ask("first")
    assert await asyncio.to_thread(scorer.begun.wait, 5)
    with pytest.raises(fails):
        await stage()(query(MALICIOUS, group="shadow"), failing)
    await asyncio.sleep(0)
    scorer.go.set()
    assert await first is not None
    assert scorer.batches == [["first"]]


async def test_a_broken_model_lets_the_name_pass(stage, scorer):
    scorer.broken = True
    answer = await stage()(query(MALICIOUS), forward)
    assert answer.verdict.reason == "model_late"


async def test_a_remembered_score_is_judged_without_a_pause(stage):
    await stage()(query(MALICIOUS), forward)
    with pytest.raises(StopIteration) as ended:
        stage()(query(MALICIOUS), forward).send(None)
    assert ended.value.value.verdict.action == "block"


@pytest.mark.parametrize("deadline", [0.05])
async def test_a_cancelled_query_is_not_late(stage, scorer, batcher):
    scorer.go.clear()
    asking = asyncio.ensure_future(stage()(query(MALICIOUS), forward))
    await asyncio.sleep(0.01)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.sleep(0.08)
    assert batcher.counts.late == 0


async def test_a_label_is_asked_about_with_its_suffix_once(stage, scorer):
    for name in ("www.example.org.", "example.org.", "example.net.", "example.ddns.net."):
        await stage()(query(name), forward)
    assert scorer.batches == [["example.org"], ["example.net"], ["example.ddns.net"]]
