"""Events reach the hub at least once, in order, whatever the hub does meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from namewarden.events.batch import Batch, from_wire
from namewarden.events.recorder import Recorder
from namewarden.events.rows import DeniedRows
from namewarden.events.sender import Pace, Sender, Vitals
from namewarden.query import Event, UpstreamState
from tests.events.samples import event

QUICK = Pace(rows=100, flush=0.01, heartbeat=30.0, patience=30.0, timeout=2.0)


class Moody:
    """A hub that can be made to fail in ways a real one rarely does. `moods`: a status for each request, or "mute"
    (takes the batch, closes without a word); 200 when the list is empty."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.batches: list[Batch] = []
        self.moods: list[int | str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                batch = from_wire(await reader.readexactly(size))
                mood = self.moods.pop(0) if self.moods else 200
                if mood in (200, "mute"):
                    self.batches.append(batch)
                if mood == "mute":
                    break
                body = b"" if mood == 200 else b'{"detail": "not now"}'
                writer.write(
                    f"HTTP/1.1 {mood} x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
                )
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        server = await asyncio.start_unix_server(self.serve, self.path)
        try:
            yield
        finally:
            server.close()
            self.path.unlink(missing_ok=True)

    @property
    def rows(self) -> int:
        return sum(batch.rows for batch in self.batches)


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("waited in vain")


@asynccontextmanager
async def running(sender: Sender) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        group.create_task(sender.run())
        yield
        sender.stop()


def fill(recorder: Recorder, number: int) -> None:
    for n in range(number):
        recorder.record(event(name=f"n{n}.example.org."))


async def test_events_arrive_in_batches_with_rising_numbers(tmp_path: Path) -> None:
    hub, recorder = Moody(tmp_path / "s"), Recorder("resolver", 1000, worker=2)
    fill(recorder, 250)
    async with hub.open(), running(sender := Sender(recorder, hub.path, QUICK)):
        await until(lambda: hub.rows == 250)
    full = [batch for batch in hub.batches if batch.rows]
    assert [(b.sequence, b.first, b.rows) for b in full] == [
        (1, 0, 100),
        (2, 100, 100),
        (3, 200, 50),
    ]
    assert {(b.run, b.worker) for b in hub.batches} == {(recorder.run, 2)}
    assert sender.sent_queries == 250


async def test_the_hub_may_come_late(tmp_path: Path) -> None:
    hub, recorder = Moody(tmp_path / "s"), Recorder("resolver", 1000)
    fill(recorder, 10)
    async with running(sender := Sender(recorder, hub.path, QUICK)):
        await until(lambda: sender.problem != "")
        assert recorder.held == 10
        async with hub.open():
            await until(lambda: hub.rows == 10)
    assert sender.problem == ""


async def test_a_lost_acknowledgement_sends_the_same_batch_again(tmp_path: Path) -> None:
    hub, recorder = Moody(tmp_path / "s"), Recorder("resolver", 1000)
    hub.moods = ["mute", 503, 500]
    fill(recorder, 10)
    async with hub.open(), running(Sender(recorder, hub.path, QUICK)):
        await until(lambda: len(hub.batches) == 2)
    assert hub.batches[0] == hub.batches[1]


async def test_a_batch_refused_for_good_is_given_up_and_counted(tmp_path: Path) -> None:
    hub, recorder = Moody(tmp_path / "s"), Recorder("resolver", 1000)
    hub.moods = [400]
    fill(recorder, 10)
    async with hub.open(), running(sender := Sender(recorder, hub.path, QUICK)):
        await until(lambda: sender.rejected_events == 10)
        fill(recorder, 3)
        await until(lambda: hub.rows == 3)
    assert hub.batches[-1].counters["events_rejected"] == 10


async def test_what_was_dropped_is_told_with_the_next_batch(tmp_path: Path) -> None:
    hub, recorder = Moody(tmp_path / "s"), Recorder("resolver", 50)
    fill(recorder, 60)
    async with hub.open(), running(Sender(recorder, hub.path, QUICK)):
        await until(lambda: hub.rows == 50)
        fill(recorder, 1)
        await until(lambda: hub.rows == 51)
    assert [batch.dropped_events for batch in hub.batches][:2] == [10, 0]
    assert hub.batches[0].counters["events_dropped"] == 10


async def test_what_a_refused_batch_said_was_dropped_is_told_with_the_next(tmp_path: Path) -> None:
    hub, recorder = Moody(tmp_path / "s"), Recorder("resolver", 50)
    hub.moods = [503, 400]
    fill(recorder, 60)
    async with hub.open(), running(sender := Sender(recorder, hub.path, QUICK)):
        await until(lambda: sender.rejected_events == 50)
        fill(recorder, 1)
        await until(lambda: hub.rows == 1)
    assert [batch.dropped_events for batch in hub.batches][0] == 10
    assert sum(batch.dropped_events for batch in hub.batches) == 10


async def test_a_busy_resolver_is_let_alone_below_half_a_queue(tmp_path: Path) -> None:
    hub, recorder, busy = Moody(tmp_path / "s"), Recorder("resolver", 100), [True]
    async with hub.open(), running(Sender(recorder, hub.path, QUICK, busy=lambda: busy[0])):
        await until(lambda: True)
        fill(recorder, 20)
        await asyncio.sleep(0.3)
        assert hub.rows == 0
        fill(recorder, 30)
        await until(lambda: hub.rows == 50)
        fill(recorder, 1)
        busy[0] = False
        await until(lambda: hub.rows == 51)


async def test_the_end_is_said(tmp_path: Path) -> None:
    hub, recorder = Moody(tmp_path / "s"), Recorder("resolver", 1000)
    async with hub.open():
        async with running(Sender(recorder, hub.path, QUICK)):
            fill(recorder, 5)
        assert hub.rows == 5
        assert hub.batches[-1].last


async def test_without_a_hub_the_end_does_not_wait_for_ever(tmp_path: Path) -> None:
    recorder = Recorder("resolver", 1000)
    fill(recorder, 5)
    sender = Sender(recorder, tmp_path / "nobody", QUICK)
    async with asyncio.TaskGroup() as group:
        group.create_task(sender.run())
        await asyncio.sleep(0.05)
        sender.stop(grace=0.3)
    assert sender.rejected_events == 5


async def test_an_idle_sender_leaves_the_loop_alone(tmp_path: Path) -> None:
    turns = 0
    async with running(Sender(Recorder("resolver", 1000), tmp_path / "nobody", QUICK)):
        end = asyncio.get_running_loop().time() + 0.2
        while asyncio.get_running_loop().time() < end:
            turns += 1
            await asyncio.sleep(0.01)
    assert turns > 10


async def test_a_heartbeat_carries_counters_when_nothing_happens(tmp_path: Path) -> None:
    hub, recorder = Moody(tmp_path / "s"), Recorder("resolver", 1000)
    pace = Pace(flush=0.01, heartbeat=0.05)
    dead = UpstreamState("192.0.2.1:53", "udp", True, 0.02, 1.5, 9, 3, "timeout")
    sender = Sender(
        recorder, hub.path, pace, vitals=lambda: Vitals({"tcp": 7}, {"load": 0.5}, [dead])
    )
    async with hub.open(), running(sender):
        await until(lambda: len(hub.batches) >= 2)
    assert hub.batches[-1].counters["tcp"] == 7
    assert hub.batches[-1].gauges["load"] == 0.5
    assert hub.batches[-1].upstreams == [dead]
    assert hub.rows == 0


class Broken:
    """A source of rows with a bug."""

    def event_of(self, code: int) -> Event:
        raise RuntimeError("a bug")

    def lines(self, hits: bytes) -> str:
        raise RuntimeError("a bug")


async def test_events_that_cannot_be_written_are_counted_and_end_nothing(tmp_path):
    recorder = Recorder("resolver", 100)
    recorder.record_rows(
        DeniedRows(1.0, bytes(16), bytes(16), ["192.0.2.1"] * 2, "a.\nb.", Broken())
    )
    recorder.record(event())
    sender = Sender(recorder, tmp_path / "nobody.sock")
    await sender._batch()
    assert (sender.rejected_events, recorder.waiting, recorder.held) == (3, 0, 0)
