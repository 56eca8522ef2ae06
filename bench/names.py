"""A seeded generator of plausible names: those that are listed, those that are not, and the query files.

The same seed and count give the same files, whatever the machine; nothing is taken from a real list.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

WORDS = (
    "able acorn alpha amber anchor apple arrow atlas autumn baker bamboo basic beacon berry bird blue board boat "
    "bold book bread bridge bright brook bunny cabin candle cargo castle cedar center chain cherry circle city clean "
    "clear cloud coast coffee copper coral corner cosmic cotton craft creek crown crystal daily dance dawn deal delta "
    "desert design digital direct dolphin dragon dream drive eagle early earth easy echo ember energy engine express "
    "fabric falcon family farm fast feather fern field finder fire fish flash flower focus forest fox free fresh "
    "frost fruit future galaxy game garden gate gem gift global gold grand granite grape green grove guide happy "
    "harbor hazel health heart hero hill home honey horizon house hunter ice index indigo inner iron island ivory "
    "jade jazz jewel jolly journey juice jungle junior kettle key kind king kitchen kite lab lake lamp laser laurel "
    "leaf lemon level light lily lime linen lion little local logic lotus lucky lunar magic maple marble market "
    "master meadow media melon mercury metro mint mobile modern moon moss mountain music native nature nest network "
    "night noble north nova oak ocean office olive omega onyx open opera orange orchid origin otter outer owl pacific "
    "palm panda paper park peach pearl pepper phoenix photo pine pixel planet plaza plum point polar pond poppy power "
    "prime prism proud pulse purple quartz queen quick quiet rabbit radio rain rapid raven ready red reef ridge river "
    "road robin rocket rose royal ruby rustic saffron sage sail salt sand school sea secret seed shadow shine shop "
    "silver simple sky smart snow social solar sonic south spark spice spring star station steel stone storm story "
    "stream studio sugar summer sun super swan swift table tea team tech temple thunder tiger timber topaz tower town "
    "trade trail travel tree trend tulip turbo union unity urban valley vapor velvet venture vertex video village "
    "vintage violet vista vital voice wagon walnut water wave west wheat white wild willow wind winter wolf wonder "
    "wood world yellow young zebra zen zinc"
).split()
TLDS = [
    "com"
] * 55 + "net org info biz de co.uk fr nl it pl ru cn com.br xyz top site online shop club".split()
HOSTS = [""] * 12 + "www. mail. cdn. login. track. ads. img. static1. api. m.".split()
EDITION = 2  # of the generator: another one makes other files
CACHE = Path.home() / ".cache" / "namewarden-bench"
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def host_names(seed: int, random_share: float = 0.0) -> Iterator[str]:
    """Distinct names without a final dot, for ever; `random_share` of them have a label of random letters."""
    dice = random.Random(seed)
    seen: set[str] = set()
    while True:
        label = _random_label(dice) if dice.random() < random_share else _word_label(dice)
        name = f"{dice.choice(HOSTS)}{label}.{dice.choice(TLDS)}"
        if name not in seen:
            seen.add(name)
            yield name


def _word_label(dice: random.Random) -> str:
    words = dice.choices(WORDS, k=2 if dice.random() < 0.6 else 3)
    tail = str(dice.randrange(100)) if dice.random() < 0.2 else ""
    return ("-" if dice.random() < 0.3 else "").join(words) + tail


def _random_label(dice: random.Random) -> str:
    return "".join(dice.choices(LETTERS, k=dice.randrange(8, 20)))


@dataclass(frozen=True)
class NameFiles:
    """The files of one run. Query files are dnsperf's: one `name A` a line."""

    folder: Path
    count: int
    cold: int
    sample: str  # a listed name that no query file holds: readiness is asked with it

    @property
    def listed(self) -> Path:
        return self.folder / "listed.txt"

    @property
    def blocked_warm(self) -> Path:
        return self.folder / "blocked-warm.txt"

    @property
    def cached_warm(self) -> Path:
        return self.folder / "cached-warm.txt"

    @property
    def fresh(self) -> Path:
        """Names that are in no list and no other file, one a line."""
        return self.folder / "fresh.txt"

    @property
    def new(self) -> Path:
        """Names as those of `fresh`, of which no two share a label that a model would judge."""
        return self.folder / "new.txt"

    def blocked_cold(self, number: int) -> Path:
        return self.folder / f"blocked-cold-{number}.txt"

    @property
    def cold_files(self) -> int:
        """How many cold passes there are before a name would repeat."""
        return len(list(self.folder.glob("blocked-cold-*.txt")))


@dataclass(frozen=True)
class Sizes:
    """How many names: asked over and over, once in a cold pass, once at a fixed rate, once as fast as can be."""

    warm: int = 10_000
    cold: int = 300_000
    fresh: int = 400_000
    new: int = 1_000_000


def folder(count: int, cold: int = Sizes.cold) -> Path:
    """Where the files of so many names stay for the next run."""
    return CACHE / f"names-{EDITION}-{count}-{cold}"


def write(folder: Path, count: int, sizes: Sizes = Sizes()) -> NameFiles:
    """Make the files of `count` listed names, unless they are there already."""
    warm = sizes.warm
    cold = min(sizes.cold, (count - warm - 1) // 3)
    names = NameFiles(folder, count, cold, next(host_names(_LISTED_SEED, 0.15)))
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        listed = list(islice(host_names(_LISTED_SEED, 0.15), count))
        _write_listed(names, listed, warm)
        _write_unlisted(names, frozenset(listed), sizes)
        (folder / "complete").touch()
    return names


_LISTED_SEED, _UNLISTED_SEED, _ORDER_SEED = 1, 2, 3


def _write_listed(names: NameFiles, listed: list[str], warm: int) -> None:
    _lines(names.listed, listed)
    asked = listed[1:]
    random.Random(_ORDER_SEED).shuffle(asked)
    _lines(names.blocked_warm, _questions(asked[:warm]))
    for number in range((len(asked) - warm) // names.cold):
        start = warm + number * names.cold
        _lines(names.blocked_cold(number), _questions(asked[start : start + names.cold]))


def _write_unlisted(names: NameFiles, listed: frozenset[str], sizes: Sizes) -> None:
    others = (name for name in host_names(_UNLISTED_SEED) if not _is_covered(name, listed))
    asked, fresh = list(islice(others, sizes.warm)), list(islice(others, sizes.fresh))
    _lines(names.cached_warm, _questions(asked))
    _lines(names.fresh, fresh)
    _lines(
        names.new, list(islice(_of_new_labels(others, {*map(_label, asked + fresh)}), sizes.new))
    )


def _of_new_labels(names: Iterator[str], seen: set[str]) -> Iterator[str]:
    for name in names:
        if (label := _label(name)) not in seen:
            seen.add(label)
            yield name


def _label(name: str) -> str:
    """The registrable label of a name that `host_names` made."""
    parts = name.split(".")
    return parts[1] if f"{parts[0]}." in HOSTS else parts[0]


def _is_covered(name: str, listed: frozenset[str]) -> bool:
    """Listed, or below a listed name: some servers block these too."""
    labels = name.split(".")
    return any(".".join(labels[start:]) in listed for start in range(len(labels) - 1))


def _questions(names: list[str]) -> list[str]:
    return [f"{name} A" for name in names]


def _lines(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
