"""The helper threads: the same bits for any number of them, and safe under fork, signals, exit and many callers."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from typing import Any

import numpy as np
import pytest

import fastact

SIZE = 1 << 20  # long enough for any function to be shared


@pytest.fixture(scope="module")
def x() -> np.ndarray[Any, Any]:
    return np.random.default_rng(2).normal(0, 4, SIZE).astype(np.float32)


def one_thread(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    with fastact.threads(1):
        return fastact.sigmoid(x)


def result_in_child(seed: int) -> np.ndarray[Any, Any]:
    x = np.random.default_rng(seed).normal(0, 4, SIZE).astype(np.float32)
    fastact.set_num_threads(4)
    return fastact.sigmoid(x)[::1000]


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, record in fastact.activations.items()
        if name in fastact.derivative.__all__ and len(record.inputs) == 1
    ],
)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_same_bits_for_any_number_of_threads(name: str, dtype: Any, x: np.ndarray[Any, Any]) -> None:
    for size in (40_000, SIZE // 2 + 13):  # from what is hardly worth a helper to what all can share
        array = x[:size].astype(dtype)
        for operation in (getattr(fastact, name), getattr(fastact.derivative, name)):
            with fastact.threads(1):
                expected = operation(array).tobytes()
            for n in (2, 3, 7):
                with fastact.threads(n):
                    assert operation(array).tobytes() == expected


@pytest.mark.parametrize("shape", [(4096, 256), (3, 1 << 18), (1 << 18, 3), (77, 500)])
@pytest.mark.parametrize("axis", [0, 1, None])
def test_softmax_same_bits_for_any_number_of_threads(
    shape: tuple[int, int], axis: int | None, x: np.ndarray[Any, Any]
) -> None:
    array = np.resize(x, shape)
    with fastact.threads(1):
        expected = fastact.softmax(array, axis=axis).tobytes()
    for n in (2, 3, 7):
        with fastact.threads(n):
            assert fastact.softmax(array, axis=axis).tobytes() == expected


@pytest.mark.parametrize("shift", [1, 5, 16, 40_000])
def test_overlapping_views_under_threads(shift: int, x: np.ndarray[Any, Any]) -> None:
    for source, target in ((slice(shift, None), slice(None, -shift)), (slice(None, -shift), slice(shift, None))):
        array = x.copy()
        expected = one_thread(x[source])
        with fastact.threads(4):
            fastact.sigmoid(array[source], out=array[target])
        np.testing.assert_array_equal(array[target], expected)


def test_many_callers_at_once(x: np.ndarray[Any, Any]) -> None:
    expected = one_thread(x).tobytes()
    with fastact.threads(4), concurrent.futures.ThreadPoolExecutor(8) as pool:
        for result in pool.map(lambda _: fastact.sigmoid(x).tobytes(), range(64)):
            assert result == expected


@pytest.mark.parametrize(
    "method", [m for m in ("fork", "spawn", "forkserver") if m in multiprocessing.get_all_start_methods()]
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_multiprocessing(method: str) -> None:
    with fastact.threads(4):
        expected = result_in_child(7)  # the parent's helpers are awake when it forks
        with multiprocessing.get_context(method).Pool(2) as pool:
            for result in pool.map(result_in_child, [7] * 4):
                np.testing.assert_array_equal(result, expected)


def run_program(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is POSIX")
def test_fork_while_the_pool_works() -> None:
    done = run_program("""
        import os, threading, numpy as np, fastact
        fastact.set_num_threads(4)
        x = np.linspace(-9, 9, 1 << 20, dtype=np.float32)
        expected = fastact.sigmoid(x).tobytes()
        stop = threading.Event()
        def keep_busy():
            while not stop.is_set():
                fastact.sigmoid(x)
        worker = threading.Thread(target=keep_busy)
        worker.start()
        for _ in range(20):
            child = os.fork()
            if child == 0:
                os._exit(fastact.sigmoid(x).tobytes() != expected)
            assert os.waitpid(child, 0)[1] == 0
        stop.set()
        worker.join()
        print("done")
    """)
    assert done.stdout == "done\n", done.stderr


def test_exit_with_helpers_alive() -> None:
    done = run_program("""
        import threading, numpy as np, fastact
        fastact.set_num_threads(4)
        x = np.zeros(1 << 20, np.float32)
        fastact.sigmoid(x)
        threading.Thread(target=lambda: [fastact.sigmoid(x) for _ in range(10**6)], daemon=True).start()
        print("done")
    """)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="interval timers are POSIX")
def test_signals_during_calls(x: np.ndarray[Any, Any]) -> None:
    expected = one_thread(x).tobytes()
    arrived = []
    before = signal.signal(signal.SIGALRM, lambda *_: arrived.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        with fastact.threads(4):
            start = time.monotonic()
            while len(arrived) < 20 and time.monotonic() - start < 60:
                assert fastact.sigmoid(x).tobytes() == expected
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(arrived) >= 20


@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space")
def test_exhausted_threads_fall_back_to_one() -> None:
    done = run_program("""
        import resource, numpy as np, fastact
        x = np.linspace(-9, 9, 1 << 20, dtype=np.float32)
        fastact.set_num_threads(1)
        expected = fastact.sigmoid(x).tobytes()
        result = np.empty_like(x)
        # No room for another stack: the system refuses to start threads.
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 300_000, resource.RLIM_INFINITY))
        fastact.set_num_threads(64)
        fastact.sigmoid(x, out=result)
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        print(result.tobytes() == expected)
    """)
    assert done.stdout == "True\n", done.stderr


@pytest.mark.parametrize("first", ["fastact", "threadpoolctl"])
def test_threadpoolctl_limits_reach_the_pool(first: str, engine: str) -> None:
    pytest.importorskip("threadpoolctl")
    if engine != "compiled":
        pytest.skip("only the compiled engine has threads")
    second = {"fastact": "threadpoolctl", "threadpoolctl": "fastact"}[first]
    done = run_program(f"""
        import {first}
        import {second}
        import fastact, threadpoolctl
        fastact.set_num_threads(3)
        with threadpoolctl.threadpool_limits(1):
            inside = fastact.get_num_threads()
        mine = [info for info in threadpoolctl.threadpool_info() if info["user_api"] == "fastact"]
        print(inside, fastact.get_num_threads(), len(mine), mine[0]["num_threads"])
    """)
    assert done.stdout == "1 3 1 3\n", done.stderr
