"""What the export computes beside the network; the export itself runs in test_train.py."""

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs the extra `train`")

from namewarden.training.export import main, quantiles


def test_quantiles_count_who_is_at_or_above():
    logits = np.array([3.0, 1.0, 2.0, 2.0])
    assert quantiles(logits) == ((1.0, 4), (2.0, 3), (2.0, 3), (3.0, 1))


def test_the_tail_is_kept_whole_and_the_rest_thinned():
    kept = quantiles(np.arange(10_000.0))
    assert len(kept) < 2300
    assert [count for _, count in kept[-3:]] == [3, 2, 1]


def test_what_has_not_learned_to_the_end_is_no_model(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["export", str(tmp_path), str(tmp_path / "model")])
    with pytest.raises(SystemExit, match=r"weights\.npz is missing"):
        main()
    assert not (tmp_path / "model").exists()
