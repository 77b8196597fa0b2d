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


# What is read, and where its copy, scale or sum goes.
Move = tuple[list[Array], Array]


def floor(operands: list[Array], outs: list[Array], threads: int) -> Call:
    """Moves the bytes that a function of these operands must move: the fastest copy, sum or scale that NumPy has."""
    operands, outs = list(map(_as_plain, operands)), list(map(_as_plain, outs))
    if max(out.size for out in outs) < operands[0].size:
        x, out = operands[0], outs[0]
        return _read_halves(x, out) if 2 * out.size == x.size else _read(x)
    moves = _moves(operands, outs)
    whole = _all([_work(move) for move in moves])
    if threads == 1 or outs[0].nbytes < SMALLEST_SPLIT_BYTES:
        return whole
    return min(whole, _split(moves, threads), key=_duration)


def _moves(operands: list[Array], outs: list[Array]) -> list[Move]:
    """Every operand read once and every result written once; a single number that is broadcast moves nothing."""
    first, *others = operands
    if others and 2 * first.size == others[0].size:  # glu's gradient meets one half of its operand
        axis = next(k for k, n in enumerate(first.shape) if n != others[0].shape[k])
        (x, rest), (out, rest_of_out) = (np.split(array, 2, axis) for array in (others[0], outs[0]))
        return [([first, x], out), ([rest], rest_of_out)]
    first, *others = (operand for operand in operands if operand.shape == first.shape)
    outs = [out for out in outs if out.shape == first.shape]
    return [([first, *others[:1]], outs[0]), *(([other], out) for other, out in zip(others[1:], outs[1:], strict=True))]


def _work(move: Move) -> Call:
    sources, out = move
    if len(sources) > 1:
        return _add(sources, out)
    return _scale(sources, out) if np.shares_memory(sources[0], out) else _copy(sources, out)


def _all(calls: list[Call]) -> Call:
    """All of these as one call."""
    if len(calls) == 1:
        return calls[0]

    def call() -> None:
        for part in calls:
            part()

    return call


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


def _split(moves: list[Move], threads: int) -> Call:
    """The same work cut into one piece per thread; NumPy releases the interpreter lock while it copies."""
    cut = [_pieces(sources, out, threads) for sources, out in moves]
    pieces = [_all(list(part)) for part in zip(*cut, strict=True)]
    pool = ThreadPoolExecutor(threads - 1)

    def run() -> None:
        waiting = [pool.submit(piece) for piece in pieces[1:]]
        pieces[0]()
        for future in waiting:
            future.result()

    return run


def _pieces(sources: list[Array], out: Array, count: int) -> list[Call]:
    """A move in so many pieces: of its elements where they lie side by side, else of its rows."""
    arrays = [*sources, out]
    if all(array.flags.c_contiguous for array in arrays):
        arrays = [array.reshape(-1) for array in arrays]
    bounds = np.linspace(0, len(arrays[-1]), count + 1).astype(int)
    cut = [[array[a:b] for array in arrays] for a, b in pairwise(bounds)]
    return [_work((piece[:-1], piece[-1])) for piece in cut]


def _duration(call: Call) -> float:
    """The best of three calls."""
    durations = []
    for _ in range(3):
        start = time.perf_counter()
        call()
        durations.append(time.perf_counter() - start)
    return min(durations)
