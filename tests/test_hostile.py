"""The generator of hostile packets is the same for a seed and covers what it says; captures can be read."""

from tests import hostile, pcap
from tests.shared_data import shared


def test_a_seed_gives_the_same_packets():
    first, second = list(hostile.packets(7, 200)), list(hostile.packets(7, 200))
    assert first == second
    assert first != list(hostile.packets(8, 200))


def test_labels_are_unique_and_sizes_reach_the_largest_datagram():
    made = list(hostile.packets())
    assert len({label for label, _ in made}) == len(made)
    assert max(len(data) for _, data in made) >= 65535
    assert min(len(data) for _, data in made) == 0


def test_streams_frame_every_packet():
    made = dict(hostile.streams())
    assert made["length 0"] == [b"\0\0"]
    assert len(made) > 300


def test_payloads_are_found_in_real_captures():
    folder = shared("pcap")
    found = {
        line.split("\t")[0]: int(line.split("\t")[3])
        for line in (folder / "INDEX.tsv").read_text().splitlines()[1:]
    }
    read = {name: sum(1 for _ in pcap.dns_payloads(folder / name)) for name in found}
    poor = {name for name, count in found.items() if read[name] < 0.5 * count}
    assert sum(read.values()) >= 0.9 * sum(found.values()), (sum(read.values()), poor)
