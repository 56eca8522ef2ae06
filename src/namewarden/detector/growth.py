"""What loading a network would make of its constants, told beforehand.

ONNX Runtime computes what depends on constants alone when it loads, and packs a weight anew for every node that uses
it: two hundred products with one matrix of 16 MB took 3 GB. So nodes of constants may not grow, and all uses are
counted. Numbers are counted here, not octets; counterpart: `graph.py`, which has looked at the file before.
"""

from math import prod

from namewarden.detector import graph

MOST = (
    1 << 26
)  # numbers: of all uses of constants, and of what is made of them; the packaged model has 1 << 17
SMALL = 1 << 20  # a node of constants may make this many out of fewer
SAME_SIZE = frozenset(
    "Cast DequantizeLinear Flatten Identity QuantizeLinear Reshape Slice Squeeze Transpose Unsqueeze".split()
)
# They grow by an attribute or a number among their inputs.
GROWING = frozenset(
    "AveragePool Conv ConvInteger MaxPool Pad QLinearConv GlobalAveragePool GlobalMaxPool".split()
)


def fault(network: bytes) -> str:
    """What is wrong with it, in words; "" when nothing is. For networks in which `graph.fault` finds nothing."""
    held = graph.constants(network)
    known = graph.inputs(network) | set(held)
    total = 0
    for operator, takes, gives in graph.nodes(network):
        if not known.issuperset(takes):
            return "its nodes are not in order"
        known.update(gives)
        sizes = [held[name] for name in takes if name in held]
        total += sum(sizes)
        if sizes and len(sizes) == len(takes):
            if operator in GROWING:
                return f"it has a node of constants alone that may grow: {operator!a}"
            made = max(sizes) if operator in SAME_SIZE else prod(sizes) + sum(sizes)
            if made > max(SMALL, *sizes):
                return f"it has a node that makes large constants of small ones: {operator!a}"
            held.update(dict.fromkeys(gives, made))
            total += made * len(gives)
        if total > MOST:
            return "its constants would take more memory than a network of ours needs"
    return ""
