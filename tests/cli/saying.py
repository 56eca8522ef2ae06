"""The command line in this process: what it says, and how it ends."""

from typer.testing import CliRunner

from namewarden.cli import app


def said(*args: str, status: int = 1) -> str:
    done = CliRunner().invoke(app, args)
    assert done.exit_code == status, done.output
    return done.output
