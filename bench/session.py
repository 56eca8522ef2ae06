"""One run from the first start to the last round: the servers side by side, the rounds in turn, a bar that shows it."""

import argparse
import dataclasses
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.progress import Progress

from bench import decision, memory, new_names, product, swap, testbed, workloads
from bench.names import NameFiles
from bench.new_names import TIMES, Step, capacity
from bench.processes import BenchError
from bench.results import REFERENCE, Results
from bench.server import Server
from bench.testbed import RunningServer
from bench.workloads import Round

COMPARED = (product.NAMEWARDEN.name, REFERENCE)  # in the workload miss, beside the upstream itself


class Session:
    """What is measured, in which order."""

    def __init__(
        self,
        options: argparse.Namespace,
        made: NameFiles,
        results: Results,
        folder: Path,
        progress: Progress,
    ) -> None:
        self.options, self.names, self.results, self.folder = options, made, results, folder
        self.progress, self.task = progress, progress.add_task("starting", total=None)
        self.fresh, self.new = workloads.fresh_names(made), new_names.new_names(made)

    def measure(self, servers: list[Server], stack: ExitStack) -> None:
        world = stack.enter_context(testbed.world(self.folder / "world"))
        self.progress.update(self.task, total=self._steps(servers))
        if product.NAMEWARDEN in servers:
            self._alone(world)
        running: list[RunningServer] = []
        for server in servers if self._has(*workloads.BESIDE) else []:
            with self._noting(server.name):
                running.append(self._bring_up(server, world, stack))
        self._rounds(running, world)
        self._new_names(running, world)
        self.results.memory_after = {r.name: memory.of(r.process) for r in running}

    def _has(self, *wanted: str) -> bool:
        return not {*wanted}.isdisjoint(self.options.workloads)

    def _alone(self, world: int) -> None:
        """What starts the product anew, while no other server takes memory."""
        if self._has(workloads.MEMORY):
            with self._noting("namewarden's starts"):
                self._start_and_stop(world)
        if self._has(workloads.DECISION):
            with self._noting("namewarden's decisions"):
                self._decide(world)
        if self._has(workloads.SWAP):
            with self._noting("namewarden's swaps"):
                self._swap(world)

    @contextmanager
    def _noting(self, what: str) -> Iterator[None]:
        """A measurement that cannot be made is a line of the report; the others go on."""
        try:
            yield
        except BenchError as problem:
            self.results.skipped[what] = str(problem)
            self.progress.console.print(f"{what}: {problem}", style="red", markup=False)

    def _start_and_stop(self, world: int) -> None:
        self._notify("starting with the list, again, and without it")
        self.results.starts = memory.measure_starts(
            self.folder / "memory", self.names, world, self.options.starts, self._step
        )

    def _decide(self, world: int) -> None:
        self._notify(f"deciding about names, {decision.ENTRIES:,} in the list")
        self.results.decisions = decision.measure(
            self.folder / "decision", decision.many_names(), world, self.options.decisions
        )
        self._step()

    def _swap(self, world: int) -> None:
        self._notify(f"swapping {decision.ENTRIES:,} names")
        self.results.swaps = swap.measure(
            self.folder / "swap", decision.many_names(), world, self.options.swaps
        )
        self._step()

    def _bring_up(self, server: Server, world: int, stack: ExitStack) -> RunningServer:
        self._notify(f"starting {server.name}")
        running = testbed.bring_up(server, self.folder / server.name, self.names, world)
        stack.callback(running.process.stop)
        workloads.settle(running)
        self.results.ready[server.name] = running.ready
        self.results.memory[server.name] = memory.of(running.process)
        self._step()
        return running

    def _rounds(self, running: list[RunningServer], world: int) -> None:
        """Misses first, when nobody was asked much, and once more when everybody was."""
        number_of = self.options.rounds if running else 0
        asked = [it for it in (*workloads.WARM, workloads.COLD) if self._has(it)]
        for number in range(number_of):
            self._misses(running, world, number, at_end=False)
        for number in range(number_of):
            for workload in asked:
                self._workload(workload, workloads.in_turn(running, number), number)
        for number in range(number_of if asked else 0):
            self._misses(running, world, number, at_end=True)

    def _workload(self, workload: str, running: list[RunningServer], number: int) -> None:
        if workload == workloads.COLD and number >= self.names.cold_files:
            return
        for server in running:
            self._notify(f"round {number + 1}: {workload}, {server.name}")
            with self._noting(f"{server.name}, {workload} round {number + 1}"):
                self.results.rounds.append(self._measured(workload, server, number))
            self._step()

    def _measured(self, workload: str, server: RunningServer, number: int) -> Round:
        if workload == workloads.COLD:
            return workloads.run_cold(server, self.names, number)
        return workloads.run_warm(workload, server, self.names, number, self.options.seconds)

    def _misses(self, running: list[RunningServer], world: int, number: int, at_end: bool) -> None:
        if not self._has(workloads.MISS):
            return
        compared = [server for server in running if server.name in COMPARED]
        for name, port in {"": world, **{r.name: r.port for r in compared}}.items():
            who = name or "the upstream itself"
            self._notify(f"round {number + 1}: misses, {who}")
            with self._noting(f"{who}, misses round {number + 1}"):
                rate = self.options.rate
                some = workloads.take(self.fresh, rate * self.options.seconds)
                found = workloads.run_miss(name, port, some, number, rate)
                self.results.misses.append(dataclasses.replace(found, at_end=at_end))
            self._step()
        for server in compared:
            with self._noting(f"{server.name} after round {number + 1}"):
                workloads.settle(server)

    def _new_names(self, running: list[RunningServer], world: int) -> None:
        """The rate is searched for, then three times as much is asked."""
        ours = [server for server in running if server.server is product.NAMEWARDEN]
        if not ours or not self._has(workloads.NEW_NAMES, workloads.OVERLOAD):
            return
        with self._noting("new names"):
            self._search(ours[0], world)
        self._step()
        if self._has(workloads.OVERLOAD) and (found := capacity(self.results.new_names)):
            self._notify(f"overload: {TIMES * found:,.0f} new names/s")
            with self._noting("overload"):
                self.results.overload = new_names.overload(
                    ours[0], self.new, found, self.options.search
                )
        self._step()

    def _search(self, ours: RunningServer, world: int) -> None:
        seconds = self.options.search
        self._notify("new names: the upstream itself")
        self.results.ceiling = new_names.ceiling(world, seconds)
        highest = min(self.results.ceiling.rate, new_names.HIGHEST / TIMES)

        def ask(rate: float) -> Step:
            self._notify(f"new names: {rate:,.0f}/s")
            step = new_names.try_rate(ours, self.new, rate, seconds)
            self.results.new_names.append(step)
            return step

        new_names.search(ask, new_names.FIRST, highest)

    def _steps(self, servers: list[Server]) -> int:
        rounds, ours = self.options.rounds, product.NAMEWARDEN in servers
        warm = len({*workloads.WARM} & {*self.options.workloads})
        cold = min(rounds, self.names.cold_files) * self._has(workloads.COLD)
        miss = (1 + sum(server.name in COMPARED for server in servers)) * self._has(workloads.MISS)
        twice = 1 + self._has(*workloads.WARM, workloads.COLD)
        alone = 3 * self.options.starts * self._has(workloads.MEMORY)
        alone += self._has(workloads.DECISION) + self._has(workloads.SWAP)
        search = 2 * self._has(workloads.NEW_NAMES, workloads.OVERLOAD)
        started = len(servers) * self._has(*workloads.BESIDE)
        beside = (rounds * warm + cold) * len(servers) + rounds * miss * twice
        return int(started + beside + ours * (alone + search))

    def _notify(self, text: str) -> None:
        self.progress.update(self.task, description=text, refresh=True)

    def _step(self) -> None:
        self.progress.update(self.task, advance=1, refresh=True)
