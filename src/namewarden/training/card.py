"""The card of a model: what it learned from, what it does not do, what was measured.

`export.py` writes the facts; `evaluation/card.py` writes it again with the figures.
"""

import math
from pathlib import Path

from namewarden.detector.bands import probability
from namewarden.detector.model import Manifest
from namewarden.training.measure import CONFIDENCE, RATES

# Names of which none above tells the last rate with confidence.
ENOUGH = math.ceil(math.log(1 - CONFIDENCE) / math.log(1 - RATES[-1]))
UNMEASURED = "Not measured yet: `namewarden evaluate` does it and completes this card."


def write_card(path: Path, manifest: Manifest, size: int, figures: str = UNMEASURED) -> None:
    path.write_text("\n".join(_lines(manifest, size, figures)) + "\n", encoding="utf-8")


def _confidence(names: int) -> str:
    if names < ENOUGH:
        return "They are too few to tell the third with confidence: it lies above them all."
    return (
        "Above the third lie, with a confidence of 95 %, no more of all such labels than its share."
    )


def _lines(manifest: Manifest, size: int, figures: str) -> list[str]:
    limits = manifest.thresholds
    each = (limits.one_in_100, limits.one_in_1000, limits.one_in_10000)
    return [
        f"# Model {manifest.digest[:12]}",
        "",
        f"Made {manifest.made}. A network over one label, {size:,} bytes of ONNX, encoding "
        f"{manifest.encoding}. It judges the label left of the public suffix and nothing else: no suffix, no "
        "client, no answer.",
        "",
        "## Thresholds",
        "",
        f"Fixed on {manifest.calibration_names:,} benign labels that were not learned from. Temperature "
        f"{manifest.temperature:.3f}. `review` begins at the second threshold, `block` at the third; for a client in "
        f"a burst at the first and the second. {_confidence(manifest.calibration_names)}",
        "",
        "| | FPR 1e-2 | FPR 1e-3 | FPR 1e-4 |",
        "|---|---|---|---|",
        "| logit | " + " | ".join(f"{at:.4f}" for at in each) + " |",
        "| probability | " + " | ".join(f"{probability(at):.6f}" for at in each) + " |",
        "",
        "## What was learned from",
        "",
        f"- {manifest.seen}. A label whose hash is not below 5 was never learned from, if two makers list it.",
        f"- Families: {', '.join(manifest.families)}; half of their labels by the same hash.",
        f"- Never seen, with all that share a generator: {', '.join(manifest.unseen_families) or 'none'}.",
        "- Names made up by generic generators (any alphabet, length, syllables), so that it learns more than "
        "the alphabets of known families.",
        "- Labels of known malware domains were taken out of the benign side, labels that are both generated and "
        "popular out of both. Customers of clouds and CDNs were left out, those of dynamic-DNS providers kept.",
        "",
        "## What it does not",
        "",
        "- Names made of words, and of few letters, look like a site's: most of them pass. Families with an alphabet "
        "unlike any other are missed more than the means say.",
        "- Punycode labels were seen only as benign ones.",
        "- It says nothing of clients, of names that fail, of tunnels.",
        "",
        "## What was measured",
        "",
        figures,
    ]
