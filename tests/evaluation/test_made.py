"""Names that machines ask for are of their kind, the same each time, and most are never scored."""

from namewarden.detector.label import Labels, Unscored, dynamic_providers
from namewarden.evaluation.made import MAKERS, names


def test_one_seed_makes_one_set_of_every_sort():
    assert names(5) == names(5)
    assert list(names(5)) == list(MAKERS)
    assert all(len(made) == 5 for made in names(5).values())


def test_what_says_nothing_is_not_scored():
    labels = Labels(dynamic_providers(), remembered=0)
    made = names(20)
    for sort in ("reverse zones", "single labels (browser probes)", "local suffixes"):
        assert all(isinstance(labels.scored(name), Unscored) for name in made[sort]), sort
    for sort in ("hex hosts", "UUID hosts"):  # the registrable label is, whatever the host
        assert {getattr(labels.scored(name), "label", "") for name in made[sort]} == {"example"}
