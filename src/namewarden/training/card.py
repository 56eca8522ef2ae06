"""The card of a model: what it learned from, what it finds, what it does not. Written by `export.py`."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from namewarden.detector.bands import probability
from namewarden.detector.model import Manifest

COLUMNS = "FPR 1e-2 | FPR 1e-3 | FPR 1e-4"


class Figures(Struct, frozen=True):
    """Measured on held-out names; rates in the order 1e-2, 1e-3, 1e-4."""

    size: int
    benign_names: int
    false_positives: list[float]
    single_names: int  # benign labels that one maker lists alone
    single_positives: list[float]
    means: Mapping[str, list[float]]
    families: Mapping[str, Mapping[str, list[float]]]
    single: float
    batched: float
    auc: float


def write_card(path: Path, manifest: Manifest, figures: Figures) -> None:
    path.write_text("\n".join(_lines(manifest, figures)) + "\n", encoding="utf-8")


def _lines(manifest: Manifest, figures: Figures) -> list[str]:
    limits = manifest.thresholds
    table = [
        f"| family mean, {kind} | {_percent(found)} |" for kind, found in figures.means.items()
    ]
    each = [
        f"| {kind} | {family} | {_percent(found)} |"
        for kind, families in figures.families.items()
        for family, found in sorted(families.items())
    ]
    return [
        f"# Model {manifest.digest[:12]}",
        "",
        f"Made {manifest.made}. A character CNN over one label, {figures.size:,} bytes of ONNX, encoding "
        f"{manifest.encoding}. It judges the label left of the public suffix and nothing else: no suffix, no "
        "client, no answer.",
        "",
        "## What it finds",
        "",
        f"Thresholds are fixed on {manifest.calibration_names:,} benign labels that were not learned from; the rates "
        f"below are of {figures.benign_names:,} others and of generated names, neither learned from nor chosen by "
        "(but the families named so).",
        "",
        f"| | {COLUMNS} |",
        "|---|---|---|---|",
        f"| threshold, logit | {limits.one_in_100:.4f} | {limits.one_in_1000:.4f} | {limits.one_in_10000:.4f} |",
        "| threshold, probability | "
        + " | ".join(f"{probability(at):.6f}" for at in _limits(manifest))
        + " |",
        f"| benign names above it | {_percent(figures.false_positives, 4)} |",
        *table,
        "",
        "`review` begins at the second threshold, `block` at the third; for a client in a burst at the first and the "
        f"second. Area under the curve, known families: {figures.auc:.5f}. One thread: {figures.single:.0f} µs of "
        f"processor time a name alone, {figures.batched:.0f} µs in batches of 64. Temperature "
        f"{manifest.temperature:.3f}.",
        "",
        "## What was learned from",
        "",
        f"- {manifest.seen}. A label whose hash is not below 5 was never learned from, whatever list it is in.",
        f"- Families: {', '.join(manifest.families)}; half of their labels by the same hash.",
        f"- Never seen, with all that share a generator: {', '.join(manifest.unseen_families)}. The weights were "
        "chosen by those marked so below; the others decided nothing.",
        "- Names made up by generic generators (any alphabet, length, syllables, words), so that it learns more than "
        "the alphabets of known families.",
        "- Labels of known malware domains were taken out of the benign side, labels that are both generated and "
        "popular out of both. Customers of clouds and CDNs were left out, those of dynamic-DNS providers kept.",
        "",
        "## What it does not",
        "",
        "- Names made of words, and of few letters, look like a site's: most of them pass. Families with an alphabet "
        "unlike any other are missed more than the means say.",
        "- It knows no families by name yet. Punycode labels were seen only as benign ones.",
        "- A benign name counts above when two makers of lists hold it. Of names that one maker lists alone "
        f"{figures.single_names:,} were tried: {_percent(figures.single_positives, 3)} lie above the thresholds. Most "
        "of these, read by eye, are throw-away and generated names that popularity lists hold too; some are not.",
        "- The third threshold rests on about ten names.",
        "",
        "## By family",
        "",
        f"| | family | {COLUMNS} |",
        "|---|---|---|---|---|",
        *each,
    ]


def _limits(manifest: Manifest) -> tuple[float, float, float]:
    limits = manifest.thresholds
    return limits.one_in_100, limits.one_in_1000, limits.one_in_10000


def _percent(found: list[float], places: int = 1) -> str:
    return " | ".join(f"{100 * rate:.{places}f} %" for rate in found)
