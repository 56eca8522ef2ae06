"""A corpus of ten names to learn from, and a few more to measure on."""

from namewarden.training.data import Corpus

WORDS = ["weather", "garden", "bakery", "library", "museum"]
GIBBERISH = ["xqzkvjwqpz", "qkzxvwjqtz", "zzqjxkvwqk", "vxqzjkqwzx", "jqxzvkwzqj"]


def corpus() -> Corpus:
    known = {"made_of_rare_letters": GIBBERISH}
    return Corpus(
        benign={"train": WORDS, "calibration": WORDS, "test": ["gardener", "libraries"]},
        single=["bakeries"],
        known={"train": known, "calibration": known, "test": known},
        choose={"other": ["kqzvxjwqzk", "wqxjzkvqzx"]},
        unseen={"third": ["zkxqvjzwqx"]},
    )
