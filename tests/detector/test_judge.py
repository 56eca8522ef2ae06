"""Every path from facts to the model's verdict."""

import pytest

from namewarden.detector.judge import ModelPolicy, judge
from namewarden.detector.label import Scorable, Unscored
from tests.detector.scorers import LIMITS, Lengths, score_of

NAME = Scorable("example", "icann", "example.org", "example.org")
DYNAMIC = Scorable("example", "dynamic", "ddns.net", "example.ddns.net")
CUSTOMER = Scorable("d111", "private", "netlify.app", "d111.netlify.app")
HONEYPOT = ModelPolicy(redirect=("192.0.2.1", "2001:db8::1"))


@pytest.mark.parametrize(
    ("what", "logit", "model_policy", "guarded", "action", "reason", "shadow"),
    [
        (Unscored("suffix"), None, ModelPolicy(), False, "allow", "unscored", ""),
        (NAME, None, ModelPolicy(mode="off"), False, "allow", "model_off", ""),
        (NAME, 9.0, ModelPolicy(mode="off"), False, "allow", "model_off", ""),
        (NAME, None, ModelPolicy(), False, "allow", "model_late", ""),
        (NAME, None, ModelPolicy(mode="shadow"), False, "allow", "model_late", ""),
        (NAME, 1.5, ModelPolicy(), False, "allow", "model_benign", ""),
        (NAME, 1.5, ModelPolicy(), True, "allow", "model_benign", ""),
        (NAME, 1.5, ModelPolicy(burst=True), False, "review", "model_uncertain", ""),
        (NAME, 3.0, ModelPolicy(), False, "review", "model_uncertain", ""),
        (NAME, 3.0, ModelPolicy(mode="shadow"), False, "review", "model_uncertain", ""),
        (NAME, 3.0, ModelPolicy(), True, "allow", "guard", ""),
        (NAME, 3.0, ModelPolicy(burst=True), False, "block", "model_malicious", ""),
        (NAME, 5.0, ModelPolicy(), False, "block", "model_malicious", ""),
        (NAME, 5.0, ModelPolicy(), True, "allow", "guard", ""),
        (NAME, 5.0, HONEYPOT, False, "redirect", "model_malicious", ""),
        (NAME, 5.0, ModelPolicy(mode="shadow"), False, "flag", "model_malicious", "block"),
        (NAME, 5.0, ModelPolicy(mode="shadow", redirect=("192.0.2.1",)), False, "flag", "model_malicious", "redirect"),
        (DYNAMIC, 5.0, ModelPolicy(), False, "block", "model_malicious", ""),
        (CUSTOMER, 5.0, ModelPolicy(), False, "review", "private_suffix", ""),
        (CUSTOMER, 5.0, ModelPolicy(mode="shadow"), False, "review", "private_suffix", ""),
        (CUSTOMER, 3.0, ModelPolicy(), False, "review", "model_uncertain", ""),
        (CUSTOMER, 0.0, ModelPolicy(), False, "allow", "model_benign", ""),
    ],
)  # fmt: skip
def test_paths(what, logit, model_policy, guarded, action, reason, shadow):
    verdict = judge(what, None if logit is None else score_of(logit), LIMITS, model_policy, guarded)
    assert (verdict.action, verdict.reason, verdict.shadow) == (action, reason, shadow)
    assert (verdict.score is not None) == (verdict.band != "") == (verdict.model == Lengths.model)


def test_a_block_says_how_it_is_answered_and_why():
    model_policy = ModelPolicy(block="ip", addresses=("192.0.2.7",), ttl=33)
    verdict = judge(NAME, score_of(5.0), LIMITS, model_policy)
    assert (verdict.mode, verdict.addresses, verdict.ttl) == ("ip", ("192.0.2.7",), 33)
    assert verdict.rule == "score >= 0.982014"
    assert verdict.score == score_of(5.0).probability


def test_a_redirect_goes_to_the_honeypot():
    verdict = judge(NAME, score_of(5.0), LIMITS, HONEYPOT)
    assert (verdict.mode, verdict.addresses) == ("ip", HONEYPOT.redirect)


def test_a_burst_is_named_in_the_rule():
    verdict = judge(NAME, score_of(3.0), LIMITS, ModelPolicy(burst=True))
    assert verdict.rule == "score >= 0.880797 (burst)"
    assert verdict.band == "malicious"
