"""Undocumented is a failing test: settings, commands, words; and every snippet in the docs loads."""

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest
from typer.main import get_command

from namewarden import query
from namewarden.cli import app
from namewarden.detector.model import PACKAGED, Model
from namewarden.evaluation import figures, report
from namewarden.settings import Settings

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TEXT = "\n".join(page.read_text() for page in PAGES)
# These speak of the tree, too; decisions speak of the tree as it was.
OF_THE_TREE = [
    *(page for page in PAGES if page.parent.name != "decisions"),
    ROOT / "ARCHITECTURE.md",
    ROOT / "CONTRIBUTING.md",
]
LATER = "## Where the next capabilities go"  # from here on a page names what is not there yet
SPAN = re.compile(r"```\w*\n(.*?)```|`([^`]+)`", re.DOTALL)


def commands():
    for name, command in vars(get_command(app))["commands"].items():
        inner = getattr(command, "commands", None)
        if inner is None:
            yield name, command
        else:
            yield from ((f"{name} {below}", each) for below, each in inner.items())


@pytest.mark.parametrize(
    ("name", "command"), list(commands()), ids=lambda x: x if isinstance(x, str) else ""
)
def test_every_command_has_help_and_is_in_the_docs(name, command):
    assert command.help, f"{name} says nothing of itself"
    assert re.search(rf"namewarden {name}\b", TEXT), f"no page shows: namewarden {name}"


@pytest.mark.parametrize("words", ["Action", "Reason", "Status", "BlockMode", "ModelMode"])
def test_every_word_is_in_the_docs(words):
    for word in get_args(getattr(query, words)):
        assert f"`{word}`" in TEXT, f"no page explains the {words.lower()} {word}"


# A Corefile's namewarden is a plugin, and names an endpoint.
COMMAND = r"(?<![\w./-])namewarden ([a-z][\w-]*)(?![\w-]*://)(?: ([a-z]+))?"


def spans(page):
    """What a page shows as code."""
    return [fence or inline for fence, inline in SPAN.findall(page.read_text().partition(LATER)[0])]


@pytest.mark.parametrize("page", OF_THE_TREE, ids=lambda page: page.name)
def test_every_command_and_target_that_is_shown_is_there(page):
    known = {name for name, _ in commands()}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for code in spans(page):
        for one, two in re.findall(COMMAND, code):
            assert {one, f"{one} {two}"} & known, f"{page.name} shows: namewarden {one} {two}"
        for target in re.findall(r"^make ([a-z-]+)", code, re.MULTILINE):
            assert target in targets, f"{page.name} shows: make {target}"


def is_there(name):
    tops = [ROOT / top for top in ("src", "tests", "bench")]
    return any(path.as_posix().endswith(f"/{name}") for top in tops for path in top.rglob("*.*"))


@pytest.mark.parametrize("page", OF_THE_TREE, ids=lambda page: page.name)
def test_every_source_file_that_is_named_is_there(page):
    for code in spans(page):
        if re.fullmatch(r"[\w/]+\.(py|c|sh)", code):
            assert is_there(code), f"{page.name} names {code}"


def test_every_source_file_that_another_one_names_is_there():
    for path in (ROOT / "src").rglob("*.py"):
        for name in set(re.findall(r"[\w/]*\w\.py\b", path.read_text())):
            assert is_there(name), f"{path.relative_to(ROOT)} names {name}"


def settings_of(section, before=""):
    for name, field in section.model_fields.items():
        yield before + name
        for kind in (field.annotation, *get_args(field.annotation)):
            if hasattr(kind, "model_fields"):
                yield from settings_of(kind, f"{before}{name}.")


@pytest.mark.parametrize("page", OF_THE_TREE, ids=lambda page: page.name)
def test_every_setting_that_is_named_is_there(page):
    known = set(settings_of(Settings))
    sections = {name.partition(".")[0] for name in known if "." in name}
    for code in spans(page):
        if re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", code) and code.partition(".")[0] in sections:
            assert code in known or code.endswith((".onnx", ".py", ".md")), f"{page.name}: {code}"


def snippets():
    for page in PAGES:
        for index, text in enumerate(re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL)):
            yield pytest.param(text, id=f"{page.name}-{index}")


@pytest.mark.parametrize("text", list(snippets()))
def test_every_configuration_in_the_docs_loads(text):
    Settings.model_validate(tomllib.loads(text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_within_the_docs_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_version_is_the_changelogs():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    heads = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert heads[0] == "Unreleased" or heads[0].startswith(version)


def test_the_detectors_page_its_figures_its_card_and_the_packaged_model_agree():
    """`make evaluate` writes them all; a model that was packaged since must be measured."""
    found = figures.read(ROOT / "docs" / "detector.json")
    digest = Model().manifest.digest[:12]
    assert digest in found.about.title, "the packaged model was not measured: make evaluate"
    assert report.render(found).strip() in (ROOT / "docs" / "detector.md").read_text()
    card = (PACKAGED / "card.md").read_text()
    for title, text in report.sections(found):
        assert title == "The network" or text.strip() in card, (
            f"the card is not of this run: {title}"
        )
