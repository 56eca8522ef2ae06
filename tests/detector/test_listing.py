"""`namewarden score`: one line a name, in order, whatever the name is."""

import json

import pytest

from namewarden.detector.label import Labels
from namewarden.detector.listing import lines
from namewarden.detector.model import Model
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
        ("bücher.de", "error", "allow"),
        ("tab\tbed.org", "error", "allow"),
        ("\x1b[31mred.org", "error", "allow"),
    ],
)
def test_bands_and_actions_of_the_model_alone(name, band, action):
    (row,) = rows([name])
    fields = row.split("\t")
    assert len(fields) == 5 and row.isprintable() is False  # tabs are all that does not print
    assert row.replace("\t", "").isprintable()
    assert (fields[2], fields[4]) == (band, action)
    assert (float(fields[1]) == 0.0) == (band in ("", "error"))


def test_order_is_kept_over_batches():
    names = [f"n{number}.org" if number % 3 else "not a name" for number in range(2500)]
    assert [row.split("\t")[0] for row in rows(names)] == names


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
