"""The floor: what the memory allows, measured on the same arrays."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Call = Callable[[], object]

# Small enough to stay in every processor's L2, large enough that a call of NumPy costs nothing beside it.
READ_BLOCK_BYTES = 1 << 18

# Splitting a smaller copy over Python's threads costs more than it gives.
SMALLEST_SPLIT_BYTES = 1 << 20


def floor(operands: list[Array], out: Array, threads: int) -> Call:
    """Moves the bytes that a function of these operands must move: the fastest copy, sum or scale that NumPy has."""
    operands = [_as_plain(operand) for operand in operands if operand.shape == operands[0].shape]
    out = _as_plain(out)
    if out.size < operands[0].size:
        return _read_halves(operands[0], out) if 2 * out.size == operands[0].size else _read(operands[0])
    work = _add if len(operands) > 1 else _scale if np.shares_memory(operands[0], out) else _copy
    whole = work(operands, out)
    if threads == 1 or out.nbytes < SMALLEST_SPLIT_BYTES:
        return whole
    return min(whole, _split(work, operands, out, threads), key=_duration)


def _as_plain(array: Array) -> Array:
    """Half-precision arithmetic is slow in NumPy: those bytes are moved as integers."""
    return array if array.dtype in (np.float32, np.float64) else array.view(np.int16)


def _copy(operands: list[Array], out: Array) -> Call:
    x = operands[0]
    return lambda: np.copyto(out, x)


def _scale(operands: list[Array], out: Array) -> Call:
    x, factor = operands[0], operands[0].dtype.type(3)
    return lambda: np.multiply(x, factor, out=out)


def _add(operands: list[Array], out: Array) -> Call:
    x, y = operands
    return lambda: np.add(x, y, out=out)


def _read_halves(x: Array, out: Array) -> Call:
    """One half of each row is combined with the other, as a gated unit does."""
    half = x.shape[-1] // 2
    return _add([x[..., :half], x[..., half:]], out) if out.shape == (*x.shape[:-1], half) else _read(x)


def _read(x: Array) -> Call:
    """Reads everything and writes next to nothing: into one block, which stays in cache."""
    flat = x.reshape(-1)
    step = READ_BLOCK_BYTES // x.itemsize
    block = np.empty(min(step, flat.size), x.dtype)
    pieces = [(flat[k : k + step], block[: flat[k : k + step].size]) for k in range(0, flat.size, step)]

    def read() -> None:
        for piece, target in pieces:
            np.copyto(target, piece)

    return read


def _split(work: Callable[[list[Array], Array], Call], operands: list[Array], out: Array, threads: int) -> Call:
    """The same work cut into one piece per thread; NumPy releases the interpreter lock while it copies."""
    bounds = np.linspace(0, out.size, threads + 1).astype(int)
    flat = [operand.reshape(-1) for operand in operands]
    flat_out = out.reshape(-1)
    pieces = [work([x[a:b] for x in flat], flat_out[a:b]) for a, b in pairwise(bounds)]
    pool = ThreadPoolExecutor(threads - 1)

    def run() -> None:
        waiting = [pool.submit(piece) for piece in pieces[1:]]
        pieces[0]()
        for future in waiting:
            future.result()

    return run


def _duration(call: Call) -> float:
    """The best of three calls."""
    durations = []
    for _ in range(3):
        start = time.perf_counter()
        call()
        durations.append(time.perf_counter() - start)
    return min(durations)
