"""The settings that hold: one TOML file, every key also as NAMEWARDEN_<SECTION>__<KEY>, unknown keys are errors.

`load()` gives a frozen `Settings` (`settings.py`) or raises `ConfigError` with every problem at once.
"""

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from namewarden.settings import Section, Settings

PLACES = (Path("namewarden.toml"), Path("/etc/namewarden/namewarden.toml"))
PREFIX = "NAMEWARDEN_"
NO_SETTINGS = (
    "NAMEWARDEN_TOKEN",
    "NAMEWARDEN_PURE",
    "NAMEWARDEN_REQUIRE_C",
    "NAMEWARDEN_REQUIRE_GO",
    "NAMEWARDEN_FUZZ",
)  # read by others


class ConfigError(Exception):
    """All problems of a configuration, each `key: what is wrong (the valid choices)`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def find_file(given: Path | None) -> Path | None:
    """The file that holds: the one given, else the first of the usual places, else none."""
    return given or next((place for place in PLACES if place.is_file()), None)


def load(given: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read file and environment. ConfigError lists every problem at once."""
    path = find_file(given)
    raw = _read(path) if path else {}
    problems = _overlay(raw, environ)
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(
            problems + [line for item in error.errors() for line in _explained(item)]
        ) from error
    if problems:
        raise ConfigError(problems)
    return settings


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: is not TOML: {error}"]) from error


def _overlay(raw: dict[str, Any], environ: Mapping[str, str]) -> list[str]:
    """Put NAMEWARDEN_<SECTION>__<KEY> over the file's values; TOML values, or bare text. Returns problems."""
    problems = []
    given = (name for name in environ if name.startswith(PREFIX) and name not in NO_SETTINGS)
    for variable in sorted(given):
        *sections, key = variable.removeprefix(PREFIX).lower().split("__")
        place: Any = raw
        for section in sections:
            place = place.setdefault(section, {}) if isinstance(place, dict) else None
        if not isinstance(place, dict) or not key:
            problems.append(f"{variable}: is not {PREFIX}<SECTION>__<KEY>")
        else:
            place[key] = _value(environ[variable])
    return problems


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _explained(item: Any) -> list[str]:
    """One pydantic error as `key: what is wrong`, with the choices where keys or words are unknown. What is about
    several sections says its keys itself, a line each."""
    if not item["loc"] and item["type"] == "value_error":
        return str(item["ctx"]["error"]).split("\n")
    key = ".".join(str(part) for part in item["loc"] if part != "") or "settings"
    if item["type"] == "too_short" and item["input"]:
        return []  # what is in it is wrong, and told in a line of its own
    if item["type"] == "extra_forbidden":
        return [f"{key}: unknown key (known here: {', '.join(_known(item['loc'][:-1]))})"]
    said = _WORDS.get(item["type"]) or item["msg"].removeprefix("Value error, ")
    got = repr(item["input"])[:80]
    is_shown = item["type"] in _NOTHING_GIVEN or isinstance(item["input"], dict) or got in said
    is_shown |= key.endswith(".source")  # a URL may hold a password
    return [f"{key}: {said}" + ("" if is_shown else f" (got {got})")]


_NOTHING_GIVEN = ("missing", "string_too_short", "too_short")
_WORDS = {
    "missing": "is missing",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
    "model_type": "must be a section of keys",
    "tuple_type": "must be an array",
    "string_pattern_mismatch": (
        "must be letters, digits, '_', '.' and '-', at most 64, the first a letter or digit"
    ),
}


def _known(location: tuple[Any, ...]) -> list[str]:
    section: type[Section] = Settings
    for part in location:
        if isinstance(part, str):
            section = _section_of(section.model_fields[part].annotation) or section
    return sorted(section.model_fields)


def schema() -> dict[str, Any]:
    """The JSON schema of the file."""
    made = TypeAdapter(Settings).json_schema()
    sections: list[type[Section]] = Section.__subclasses__()
    for section in sections:
        properties = made["$defs"].get(section.__name__, made)["properties"]
        for name, text in descriptions(section).items():
            properties[name]["description"] = text
    return made


def descriptions(section: type[Section]) -> dict[str, str]:
    """The docstring of each setting. Read when they are asked for: no process needs them to start."""
    import ast
    import inspect
    from itertools import pairwise

    (found,) = ast.parse(inspect.getsource(section)).body
    assert isinstance(found, ast.ClassDef)
    return {
        said.target.id: inspect.cleandoc(text.value.value)
        for said, text in pairwise(found.body)
        if isinstance(said, ast.AnnAssign) and isinstance(said.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
        if isinstance(text.value.value, str)
    }


def to_toml(settings: Settings) -> str:
    """Every key with the value that holds, as a file that `load` reads back."""
    values = settings.model_dump(mode="json", exclude_none=True)
    plain = {key: value for key, value in values.items() if not _is_table(value)}
    lines = _toml_lines(plain)
    for key, value in values.items():
        if isinstance(value, dict):
            lines += ["", f"[{key}]", *_toml_lines(value)]
        elif _is_table(value):
            for entry in value:
                lines += ["", f"[[{key}]]", *_toml_lines(entry)]
    return "\n".join(lines)


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and bool(value) and isinstance(value[0], dict)
    )


def _toml_lines(values: dict[str, Any]) -> list[str]:
    # A JSON string, number, boolean or list of them is TOML as it stands.
    return [f"{key} = {json.dumps(value)}" for key, value in values.items()]


def reference() -> str:
    """docs/settings.md: every key, its default, what it is."""
    parts, whole = [_REFERENCE_HEAD], descriptions(Settings)
    for key, found in Settings.model_fields.items():
        section = _section_of(found.annotation)
        if section is None:
            parts.append(f"## `{key}`\n\n{whole[key]} Default `{found.default}`.\n")
            continue
        brackets = f"[[{key}]]" if found.default == () else f"[{key}]"
        text = descriptions(section)
        rows = [
            f"| `{name}` | {_default(item)} | {' '.join(text[name].split())} |"
            for name, item in section.model_fields.items()
        ]
        table = "\n".join(["| key | default | what it is |", "|---|---|---|", *rows])
        parts.append(f"## `{brackets}`\n\n{section.__doc__}\n\n{table}\n")
    return "\n".join(parts)


_REFERENCE_HEAD = """# Settings

One TOML file: `--config FILE`, else `./namewarden.toml`, else `/etc/namewarden/namewarden.toml`, else these
defaults. Every key is also read from the environment as `NAMEWARDEN_<SECTION>__<KEY>`, over the file's value.
An unknown key is an error. `namewarden config check` says all that is wrong, `namewarden config show` what holds.
SIGHUP to `namewarden run` takes the file anew; `data_dir`, `dns.workers`, every `listen` and
`verdict.original` need a restart.

This page is generated from the code: `python -m namewarden.config > docs/settings.md`.
"""


def _section_of(annotation: Any) -> type[Section] | None:
    kinds = (annotation, *getattr(annotation, "__args__", ()))
    return next((k for k in kinds if isinstance(k, type) and issubclass(k, Section)), None)


def _default(item: Any) -> str:
    if item.is_required():
        return "needed"
    return "" if item.default is None else f"`{json.dumps(item.default, default=str)}`"


if __name__ == "__main__":
    print(reference(), end="")  # noqa: T201
