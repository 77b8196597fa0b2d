"""What helper threads gain, and that they never hold back: `python -m benchmarks.threads`.

The gain is one thread's time over two threads', in turns within this process. Then a busy process is pinned to one
processor, and the same calls are timed beside PyTorch and ONNX Runtime: their medians and 99th percentiles.

A virtual machine's two processors may at times be one core's two threads, and then no pool can gain anything. So each
round first has two threads of Python compute side by side, and does not count where they hold each other up.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

import fastact

Call = Callable[[], object]
MEBI = 1 << 20
ROUNDS = 41
CALLS_BESIDE_A_BUSY_PROCESS = 400


def calls(size: int) -> dict[str, Call]:
    """Calls on an array of so many float32 elements: bound by arithmetic, but for relu."""
    x = np.random.default_rng(0).normal(0, 3, size).astype(np.float32)
    y = np.empty_like(x)
    rows, results = x.reshape(-1, 1024), y.reshape(-1, 1024)
    elementwise = {name: partial(getattr(fastact, name), x, out=y) for name in ("relu", "gelu", "mish", "sigmoid")}
    return {**elementwise, "softmax": partial(fastact.softmax, rows, out=results)}


def seconds(call: Call) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


class Control:
    """Whether two threads that have nothing to do with each other run as fast as one."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(2)
        self._arrays = [np.linspace(-5, 5, MEBI // 16, dtype=np.float32) for _ in range(2)]

    def two_cores(self) -> bool:
        with fastact.threads(1):
            alone = min(seconds(lambda: self._compute(0)) for _ in range(2))
            together = min(seconds(lambda: list(self._threads.map(self._compute, range(2)))) for _ in range(2))
        return together < 1.5 * alone

    def _compute(self, number: int) -> None:
        for _ in range(8):
            fastact.gelu(self._arrays[number])


def in_turns(call: Call, control: Control, rounds: int = ROUNDS) -> list[tuple[float, float]]:
    """Times on one thread and on two, of the rounds in which two processors were two cores."""
    times = []
    for _ in range(rounds):
        if control.two_cores():
            one, two = (time_with(threads, call) for threads in (1, 2))
            times.append((one, two))
    return times


def time_with(threads: int, call: Call) -> float:
    """The shortest of several calls, the first of them not counted."""
    with fastact.threads(threads):
        call()
        return min(seconds(call) for _ in range(3))


def report_gain() -> None:
    print("gain of two threads over one: median of the rounds' ratios (quartiles)")
    control = Control()
    for size in (MEBI // 32, MEBI // 16, MEBI // 8, MEBI, 16 * MEBI):
        for name, call in calls(size).items():
            times = in_turns(call, control)
            if not times:
                print(f"  {size:>9} {name:8} not measured: no round had two cores")
                continue
            one, two = np.transpose(times)
            low, middle, high = np.quantile(one / two, (0.25, 0.5, 0.75))
            print(
                f"  {size:>9} {name:8} {middle:.2f} ({low:.2f} to {high:.2f}), "
                f"one thread {1e6 * np.median(one):.0f} us, {len(times)} of {ROUNDS} rounds"
            )


@contextmanager
def busy_processor(number: int) -> Iterator[None]:
    """Keeps one processor busy with another process."""
    loop = f"import os\nos.sched_setaffinity(0, {{{number}}})\nwhile True: pass"
    busy = subprocess.Popen([sys.executable, "-c", loop])
    time.sleep(0.3)
    try:
        yield
    finally:
        busy.kill()
        busy.wait()


def peers(x: np.ndarray[Any, Any]) -> dict[str, Call]:
    """sigmoid by the frameworks, on two threads."""
    import onnx.helper
    import onnxruntime
    import torch

    torch.set_num_threads(2)
    tensor, result = torch.from_numpy(x), torch.empty(len(x))
    kind = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Sigmoid", ["x"], ["y"])],
        "sigmoid",
        [onnx.helper.make_tensor_value_info("x", kind, x.shape)],
        [onnx.helper.make_tensor_value_info("y", kind, x.shape)],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return {
        "PyTorch": partial(torch.sigmoid, tensor, out=result),
        "ONNX Runtime": partial(session.run, None, {"x": x}),
    }


def report_beside_a_busy_process() -> None:
    print("beside a busy process, sigmoid of 262144 float32, microseconds: median and 99th percentile")
    x = np.random.default_rng(0).normal(0, 3, MEBI // 4).astype(np.float32)
    y = np.empty_like(x)

    def ours(threads: int) -> None:
        fastact.set_num_threads(threads)
        fastact.sigmoid(x, out=y)

    contestants: dict[str, Call] = {f"fastact, {n} threads": partial(ours, n) for n in (1, 2)} | peers(x)
    times: dict[str, list[float]] = {name: [] for name in contestants}
    with busy_processor(max(os.sched_getaffinity(0))):
        for _ in range(CALLS_BESIDE_A_BUSY_PROCESS):
            for name, call in contestants.items():
                times[name].append(1e6 * seconds(call))
    for name, taken in times.items():
        print(f"  {name:20} {np.median(taken):8.0f} {np.quantile(taken, 0.99):8.0f}")


if __name__ == "__main__":
    report_gain()
    report_beside_a_busy_process()
