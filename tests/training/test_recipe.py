"""How rows are made for networks that want the padding first."""

from namewarden.detector.encoding import encode
from namewarden.training.recipe import encode_left


def test_padding_comes_first():
    assert encode_left(["ab", "", "a" * 7], 8).tolist() == [
        [0, 0, 0, 0, 0, 0, 1, 2],
        [0] * 8,
        [0] + [1] * 7,
    ]


def test_the_letters_are_the_same():
    (right,), (left,) = encode(["some-name_1"], 16), encode_left(["some-name_1"], 16)
    assert left[left > 0].tolist() == right[right > 0].tolist()
