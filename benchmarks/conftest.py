"""What the suites share: the peers, loaded once on one thread, and interleaved rounds under pytest-benchmark.

`pytest benchmarks -k gelu` measures gelu; `python -m fastact bench` measures the same way, on more threads too.
"""

from __future__ import annotations

import itertools
import os
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from rich.console import Console

from fastact.bench import machine, peers, table, worker
from fastact.bench.cases import Case
from fastact.bench.contest import Contest
from fastact.bench.inputs import NoSuchInputError
from fastact.bench.results import Results

ROUNDS = 11
RESULTS = pytest.StashKey[Results]()


def pytest_configure(config: pytest.Config) -> None:
    """Tells every library its number of threads, before any of them is imported."""
    config.stash[RESULTS] = Results(machine.describe(), versions={})
    os.environ.update(worker.environment_for(1))
    worker.keep_to(1)


@pytest.fixture(scope="session")
def results(pytestconfig: pytest.Config) -> Results:
    """Where the session's results are gathered, with the peers that are installed."""
    gathered = pytestconfig.stash[RESULTS]
    peers.FASTACT.load(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what other libraries deprecate is none of ours
        gathered.versions, gathered.missing = peers.load(list(peers.PEERS), 1)
    return gathered


@pytest.fixture
def measure(benchmark: BenchmarkFixture, results: Results) -> Callable[[Case], None]:
    """Measures a case.

    pytest-benchmark times one call of fastact in each round; the round's other turns, fastact's own included, are what
    the ratios are taken from. They go to its JSON as extra_info, and to the tables at the end.
    """

    def run(case: Case) -> None:
        benchmark.group = f"{case.shape_text}, {case.setting}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                contest = Contest(case, list(results.versions))
            except NoSuchInputError as reason:
                pytest.skip(str(reason))
            contest.calibrate()
            numbers = itertools.count()

            def setup() -> None:
                contest.round(next(numbers), contest.contestants)

            pedantic: Any = benchmark.pedantic  # untyped in pytest-benchmark
            pedantic(contest.fastact.calls[0], setup=setup, rounds=ROUNDS)
        result = contest.result()
        benchmark.extra_info.update(result.to_json())
        results.cases.append(result)

    return run


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints the ratios."""
    gathered = config.stash[RESULTS]
    if gathered.cases:
        terminalreporter.section("ratios")
        table.show(Console(width=terminalreporter._tw.fullwidth), gathered, worst_first=False)
