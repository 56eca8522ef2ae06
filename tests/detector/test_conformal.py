"""p-values: never too small, the same one by one and many at once."""

import numpy as np
import pytest

from namewarden.detector.conformal import PValues
from namewarden.detector.model import PACKAGED, read

STEPS = ((-3.0, 100), (0.0, 40), (0.0, 40), (2.0, 3))


@pytest.mark.parametrize(
    ("logit", "above"),
    [(-9.0, 100), (-3.0, 100), (-1.0, 100), (0.0, 40), (1.0, 40), (2.0, 3), (2.1, 0)],
)
def test_names_at_or_above_the_step_below(logit, above):
    assert PValues(STEPS, 100).of(logit) == (1 + above) / 101


def test_many_at_once_say_the_same():
    manifest, _ = read(PACKAGED)
    for steps, names in (
        (manifest.calibration, manifest.calibration_names),
        (STEPS, 100),
        (((1.0, 7),), 9),
    ):
        values = PValues(steps, names)
        logits = np.array(
            [*np.linspace(-25, 25, 5001), *(at for at, _ in steps), *(np.nextafter(at, 99) for at, _ in steps)]
        )  # fmt: skip
        assert values.of_all(logits).tolist() == [values.of(each) for each in logits.tolist()]
