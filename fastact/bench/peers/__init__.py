"""The peers: every library that fastact is measured against, and fastact itself, in the order of reports."""

from __future__ import annotations

from fastact.bench.peers._base import NO_SUCH_FUNCTION, Job, Peer, Prepared, SkipError
from fastact.bench.peers.fastact import Fastact
from fastact.bench.peers.handwritten import HandWritten
from fastact.bench.peers.jax import Jax
from fastact.bench.peers.mkl import HIGH_ACCURACY, LOW_ACCURACY, Mkl
from fastact.bench.peers.numba import Numba
from fastact.bench.peers.numexpr import NumExpr
from fastact.bench.peers.onnxruntime import OnnxRuntime
from fastact.bench.peers.pytorch import PyTorch
from fastact.bench.peers.scipy import SciPy
from fastact.bench.peers.sklearn import ScikitLearn

__all__ = ["FASTACT", "NO_SUCH_FUNCTION", "PEERS", "Job", "Peer", "Prepared", "SkipError", "load"]

FASTACT: Peer = Fastact()
PEERS: dict[str, Peer] = {
    peer.name: peer
    for peer in (
        PyTorch(),
        OnnxRuntime(),
        Jax(),
        HandWritten(),
        SciPy(),
        NumExpr(),
        Numba(),
        ScikitLearn(),
        Mkl("mkl", "MKL", HIGH_ACCURACY),
        Mkl("mkl-la", "MKL, low accuracy", LOW_ACCURACY),
    )
}
"""By the name that --peers takes."""


def load(names: list[str], threads: int) -> tuple[dict[str, str], dict[str, str]]:
    """Loads peers; returns the versions of those that are there, and why the others are not."""
    versions, missing = {}, {}
    for name in names:
        try:
            versions[name] = PEERS[name].load(threads)
        except (ImportError, OSError):
            missing[name] = "not installed"
    return versions, missing
