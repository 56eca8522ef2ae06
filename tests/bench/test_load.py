from pathlib import Path

import pytest

from bench import load
from bench.processes import BenchError

SAID = """
Statistics:

  Queries sent:         358072
  Queries completed:    358070 (100.00%)
  Queries lost:         2 (0.00%)

  Response codes:       NOERROR 358000 (99.98%), NXDOMAIN 70 (0.02%)
  Average packet size:  request 40, response 56
  Run time (s):         3.000502
  Queries per second:   119337.523304

  Average Latency (s):  0.000446 (min 0.000012, max 0.026124)
  Latency StdDev (s):   0.000560
"""


def test_summary_is_read():
    found = load.read_summary(SAID)
    assert (found.sent, found.completed, found.lost) == (358072, 358070, 2)
    assert found.rate == 119337.523304 and found.latency == 0.000446
    assert found.rcodes == {"NOERROR": 358000, "NXDOMAIN": 70}
    assert found.share("NXDOMAIN") == pytest.approx(0.0002, abs=1e-4)


def test_a_lossy_round_does_not_count():
    assert load.read_summary(SAID).is_valid
    assert not load.Load(sent=1000, completed=990, lost=10, rate=1.0, latency=0.1).is_valid
    assert not load.Load(sent=0, completed=0, lost=0, rate=0.0, latency=0.0).is_valid


def test_other_output_is_refused():
    with pytest.raises(BenchError, match="Queries sent"):
        load.read_summary("Error: no queries")


def test_a_cold_pass_reads_its_file_once():
    assert "-n" in load.command(53, Path("q"), None)
    assert "-l" in load.command(53, Path("q"), 2.5)
