"""One run from the first start to the last round: the servers side by side, the rounds in turn, a bar that shows it."""

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.progress import Progress

from bench import memory, product, testbed, workloads
from bench.names import NameFiles
from bench.peers import Server
from bench.processes import BenchError
from bench.results import REFERENCE, Results
from bench.testbed import RunningServer
from bench.workloads import Round

COMPARED = (product.NAMEWARDEN.name, REFERENCE)  # in the workload miss, beside the upstream itself


class Session:
    """What is measured, in which order."""

    def __init__(
        self,
        options: argparse.Namespace,
        names: NameFiles,
        results: Results,
        folder: Path,
        progress: Progress,
    ) -> None:
        self.options, self.names, self.results, self.folder = options, names, results, folder
        self.progress, self.task = progress, progress.add_task("starting", total=None)
        self.fresh = workloads.fresh_names(names)

    def measure(self, servers: list[Server], stack: ExitStack) -> None:
        world = stack.enter_context(testbed.world(self.folder / "world"))
        has_starts = "memory" in self.options.workloads and product.NAMEWARDEN in servers
        self.progress.update(self.task, total=self._steps(servers, has_starts))
        if has_starts:
            with self._noting("namewarden's starts"):
                self._start_and_stop(world)
        running: list[RunningServer] = []
        for server in servers if self._asked() else []:
            with self._noting(server.name):
                running.append(self._bring_up(server, world, stack))
        for number in range(self.options.rounds if running else 0):
            self._round(running, world, number)
        self.results.memory_after = {r.name: memory.of(r.process) for r in running}

    @contextmanager
    def _noting(self, what: str) -> Iterator[None]:
        """A measurement that cannot be made is a line of the report; the others go on."""
        try:
            yield
        except BenchError as problem:
            self.results.skipped[what] = str(problem)
            self.progress.console.print(f"{what}: {problem}", style="red", markup=False)

    def _asked(self) -> list[str]:
        return [
            workload
            for workload in workloads.WORKLOADS
            if workload in self.options.workloads and workload != "memory"
        ]

    def _start_and_stop(self, world: int) -> None:
        self._notify("starting with the list, again, and without it")
        self.results.starts = memory.measure_starts(
            self.folder / "memory", self.names, world, self.options.starts, self._step
        )

    def _bring_up(self, server: Server, world: int, stack: ExitStack) -> RunningServer:
        self._notify(f"starting {server.name}")
        running = testbed.bring_up(server, self.folder / server.name, self.names, world)
        stack.callback(running.process.stop)
        workloads.settle(running)
        self.results.ready[server.name] = running.ready
        self.results.memory[server.name] = memory.of(running.process)
        self._step()
        return running

    def _round(self, running: list[RunningServer], world: int, number: int) -> None:
        for workload in self._asked():
            if workload == workloads.MISS:
                self._misses(running, world, number)
            else:
                self._workload(workload, workloads.in_turn(running, number), number)

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

    def _misses(self, running: list[RunningServer], world: int, number: int) -> None:
        ports = {"": world, **{r.name: r.port for r in running if r.name in COMPARED}}
        for name, port in ports.items():
            self._notify(f"round {number + 1}: new names, {name or 'the upstream itself'}")
            rate, seconds = self.options.rate, self.options.seconds
            with self._noting(f"{name or 'the upstream itself'}, misses round {number + 1}"):
                self.results.misses.append(
                    workloads.run_miss(name, port, self.fresh, number, rate, seconds)
                )
            self._step()
        for server in running:
            with self._noting(f"{server.name} after round {number + 1}"):
                workloads.settle(server)

    def _steps(self, servers: list[Server], has_starts: bool) -> int:
        asked, rounds = self._asked(), self.options.rounds
        warm = rounds * len(set(asked) & set(workloads.WARM)) * len(servers)
        cold = min(rounds, self.names.cold_files) * (workloads.COLD in asked) * len(servers)
        compared = 1 + sum(server.name in COMPARED for server in servers)
        misses = rounds * (workloads.MISS in asked) * compared
        starts = 3 * self.options.starts if has_starts else 0
        return int(starts + (len(servers) if asked else 0) + warm + cold + misses)

    def _notify(self, text: str) -> None:
        self.progress.update(self.task, description=text, refresh=True)

    def _step(self) -> None:
        self.progress.update(self.task, advance=1, refresh=True)
