"""Results and problems go where scripts and people look for them."""

import pytest
import typer

from namewarden.cli import shared
from namewarden.config import ConfigError
from namewarden.process.paths import StartError


def test_results_and_words_are_apart(capsys):
    shared.put("a row")
    shared.notify("a word")
    assert capsys.readouterr() == ("a row\n", "a word\n")


def test_what_others_wrote_moves_no_cursor():
    assert shared.plain("a\x1b[2Jb\x9b2Jc\r\nd\u202e é 例") == "a?[2Jb?2Jc??d? é 例"


@pytest.mark.parametrize(
    ("errors", "error", "words"),
    [
        (shared.config_errors, ConfigError(["a: is odd", "b: is missing"]), "wrong:\n  a: is odd\n  b: is missing"),
        (shared.start_errors, StartError("no folder"), "no folder"),
    ],
)  # fmt: skip
def test_a_problem_is_words_and_a_status(capsys, errors, error, words):
    with pytest.raises(typer.Exit) as ended, errors():
        raise error
    assert ended.value.exit_code == 1 and words in capsys.readouterr().err
