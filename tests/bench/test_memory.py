from pathlib import Path

from bench import memory, processes
from bench.memory import ServerMemory, Starts


def test_account_is_read():
    text = "5581-7ffc ---p 00000000 00:00 0   [rollup]\nRss:  1956 kB\nPss:   617 kB\nPss_Anon:  92 kB\n"
    assert memory.read_account(text) == {"Rss": 1956, "Pss": 617, "Pss_Anon": 92}


def test_children_are_counted(tmp_path: Path):
    running = processes.start("sh", ["sh", "-c", "sleep 60 & sleep 60"], tmp_path, core=0)
    try:
        while len(running.pids()) < 3:
            running.check()
        found = memory.of(running)
        assert found.processes >= 3 and found.pss > 0 and found.private > 0
        running.check_pinned(0)
    finally:
        running.stop()
    assert running.pids() == []


def test_an_entry_costs_index_and_private_memory():
    some = ServerMemory(pss=0, private=30_000_000, mapped=0, processes=2)
    more = ServerMemory(pss=0, private=34_000_000, mapped=0, processes=2)
    starts = Starts(1_000_000, more, some, 30_000_000, 20_000_000, cold=4.0, warm=1.0, bare=1.5)
    assert starts.index == 10_000_000
    assert starts.per_entry == 14
    assert starts.load == 2.5
