"""`namewarden score`: one line a name, in order, whatever the name is."""

import json
import random

import pytest

from namewarden.detector.judge import ModelPolicy, judge
from namewarden.detector.label import Labels
from namewarden.detector.listing import lines
from namewarden.detector.model import Model
from tests.detector.conformance import made_up
from tests.detector.networks import CLASSES, voting, write
from tests.detector.scorers import Lengths, score_of

LABELS = Labels(["ddns.net"])
MALICIOUS = "m" * 60
UNCERTAIN = "u" * 40


def rows(names, form="tsv"):
    return list(lines(names, Lengths(), LABELS, form))


def test_tsv_fields():
    (row,) = rows([f"www.{MALICIOUS}.org\n"])
    name, score, band, family, action = row.split("\t")
    assert (name, band, family, action) == (f"www.{MALICIOUS}.org", "malicious", "", "block")
    assert float(score) == score_of(4.5).probability
    assert score == repr(score_of(4.5).probability)


@pytest.mark.parametrize(
    ("name", "band", "action"),
    [
        ("example.org", "benign", "allow"),
        ("EXAMPLE.ORG.", "benign", "allow"),
        (f"{UNCERTAIN}.org", "uncertain", "review"),
        (f"{MALICIOUS}.ddns.net", "malicious", "block"),
        (f"{MALICIOUS}.netlify.app", "malicious", "review"),
        ("localhost", "", "allow"),
        ("_dmarc.example.org", "benign", "allow"),
        ("_dmarc.org", "", "allow"),
        ("", "error", "allow"),
        ("two words.org", "error", "allow"),
        ("a..org", "error", "allow"),
        ("x" * 64 + ".org", "error", "allow"),
        ("a." * 130 + "org", "error", "allow"),
        ("bücher.de", "benign", "allow"),
        ("bücher.日本", "", "allow"),
        ("bü cher.de", "error", "allow"),
        ("tab\tbed.org", "error", "allow"),
        ("\x1b[31mred.org", "error", "allow"),
        ("a.com\rb.com\n", "error", "allow"),
        ("example.org\r\n", "benign", "allow"),
    ],
)
def test_bands_and_actions_of_the_model_alone(name, band, action):
    (row,) = rows([name])
    fields = row.split("\t")
    assert len(fields) == 5 and row.isprintable() is False  # tabs are all that does not print
    assert row.replace("\t", "").isprintable()
    assert (fields[2], fields[4]) == (band, action)
    assert (float(fields[1]) == 0.0) == (band in ("", "error"))


def test_what_is_within_a_line_stays_on_it():
    """Whoever pairs lines by their number is not shifted by what a name has in it."""
    assert rows(["a.com\rb.com\n"])[0].split("\t")[0] == "a.com\\013b.com"
    for form in ("tsv", "jsonl"):
        for odd in "\r\v\f\x1c\x1d\x1e\x85\u2028\u2029":
            (row,) = rows([f"a.com{odd}b.com\n"], form)
            assert len(row.splitlines()) == 1 and odd not in row


def test_order_is_kept_over_batches():
    names = [f"n{number}.org" if number % 3 else "not a name" for number in range(12_500)]
    assert [row.split("\t")[0] for row in rows(names)] == names


@pytest.mark.parametrize("form", ["tsv", "jsonl"])
def test_batches_are_cut_without_a_trace(form):
    """One at a time and thousands at once say the same, in every digit."""
    model = Model()
    dice = random.Random(3)
    names = [
        f"{label}.{dice.choice(['org', 'ddns.net', 'netlify.app', 'corp', ''])}"
        for label in made_up(700)
    ]
    whole = list(lines(names, model, LABELS, form))
    alone = [line for name in names for line in lines([name], model, LABELS, form)]
    assert whole == alone
    assert {json.loads(row)["band"] for row in lines(names, model, LABELS, "jsonl")} > {
        "benign",
        "",
    }


def test_every_verdict_is_the_judges():
    """The table by suffix and band against the judge itself, name by name."""
    model = Lengths()
    for suffix in ("org", "ddns.net", "netlify.app"):
        for size in range(1, 63):
            name = f"{'x' * size}.{suffix}."
            (score,) = model.score_batch(["x" * size])
            said = judge(LABELS.find(name), score, model.thresholds, ModelPolicy())
            row = json.loads(rows([name], "jsonl")[0])
            for field in ("band", "family", "action", "reason", "model", "score"):
                assert row[field] == getattr(said, field)


def test_names_are_read_as_they_are_needed():
    def endless():
        number = 0
        while True:
            number += 1
            yield f"n{number}.org"

    taken = lines(endless(), Lengths(), LABELS)
    assert next(taken).startswith("n1.org\t")


def test_jsonl_has_the_logit():
    said = json.loads(rows([f"{MALICIOUS}.org"], "jsonl")[0])
    assert said["logit"] == 4.5 and said["score"] == score_of(4.5).probability
    assert (said["label"], said["band"], said["action"]) == (MALICIOUS, "malicious", "block")
    assert json.loads(rows(["a b"], "jsonl")[0])["band"] == "error"
    unscored = json.loads(rows(["1.in-addr.arpa"], "jsonl")[0])
    assert (unscored["unscored"], unscored["score"], unscored["band"]) == ("reverse", None, "")


def test_the_packaged_model_tells_gibberish_from_words():
    found = list(lines(["wikipedia.org", "kctcynooqtglbwkqpvx.org"], Model(), LABELS))
    low, high = (float(row.split("\t")[1]) for row in found)
    assert low < 0.5 < high


def test_the_family_is_named_with_the_suffix(tmp_path):
    under = {"alpha": {"": -9.0, "org": -0.1}, "beta": {"": -0.1, "org": -9.0}}
    folder = write(tmp_path / "model", voting(), family_classes=CLASSES, family_suffixes=under)
    names = ["aabb.org", "www.aabb.net.", "aabb.ddns.net"]
    found = [row.split("\t") for row in lines(names, Model(folder), LABELS)]
    assert [row[3] for row in found] == ["alpha", "beta", "beta"]
    assert len({row[1] for row in found}) == 1
