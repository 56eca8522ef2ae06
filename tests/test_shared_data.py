"""What reads the shared data skips, never fails, where the data is not there."""

import pytest

from tests.shared_data import shared


def test_missing_data_skips_and_says_what() -> None:
    with pytest.raises(pytest.skip.Exception, match="no-such-file"):
        shared("no-such-file")
