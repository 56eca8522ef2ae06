"""Where the real names, lists and captures are, when they are beside the checkout; tests skip without them."""

from pathlib import Path

import pytest

FOLDERS = [parent / "shared" / "data" for parent in Path(__file__).resolve().parents]


def shared(name: str) -> Path:
    """The file or folder `name` of the shared data, or a skip that says what is missing."""
    for folder in FOLDERS:
        if (folder / name).exists():
            return folder / name
    pytest.skip(f"needs ../shared/data/{name}, which is not beside this checkout")
