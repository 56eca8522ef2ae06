"""The generation: another text when anything in force is another, the same in another process."""

import msgspec
import pytest

from namewarden.detector.folder import PACKAGED, read
from namewarden.policy.decide import Policy
from namewarden.policy.overlay import Overlay
from namewarden.policy.rules import Rules
from namewarden.policy.spec import GroupSpec, RuleSpec
from namewarden.process.generation import Generation
from namewarden.settings import Settings
from tests.policy.made import SECRET, ruled, snapshot_of

MODEL = read(PACKAGED)[0]


@pytest.fixture
def policy(tmp_path):
    return Policy(snapshot_of(tmp_path / "one", {"l": "a.example\n"}))


def generation(settings=None, model=MODEL, secret=SECRET):
    return Generation(settings or Settings(), model, secret)


def test_it_is_made_of_what_is_in_force(policy):
    text = generation().of(policy)
    assert text == generation().of(Policy(policy.snapshot)) and len(text) == 32


def others(policy, folder):
    """Each with one thing that is other."""
    lists = {"l": "b.example\n"}
    yield generation().of(policy.with_rules(ruled([RuleSpec("decision", "b.example.", "deny")])))
    yield generation().of(policy.with_rules(Rules(Overlay(2, base=1, digest=b"1"))))
    yield generation(Settings(block={"ttl": 30})).of(policy)
    yield generation(model=msgspec.structs.replace(MODEL, temperature=2.0)).of(policy)
    yield generation(secret=bytes(32)).of(policy)
    yield generation().of(Policy(snapshot_of(folder, lists)))
    group = (GroupSpec(name="default"), GroupSpec(name="quiet", block="nxdomain"))
    yield generation().of(Policy(snapshot_of(folder, lists, groups=group)))


def test_whatever_is_other_makes_another(policy, tmp_path):
    found = [generation().of(policy), *others(policy, tmp_path / "one")]
    assert len(set(found)) == len(found)


def test_one_generation_follows_the_policy_in_force(policy):
    made = generation()
    first = made.of(policy)
    assert made.of(policy.with_rules(ruled([RuleSpec("r", "b.example.", "allow")]))) != first
    assert made.of(policy) == first
