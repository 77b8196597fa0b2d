"""Puts fastact's threads under threadpoolctl's control, in programs that use it (scikit-learn and joblib do)."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any


def register_when_imported() -> None:
    """Registers the controller now if threadpoolctl is there, else as soon as somebody imports it."""
    if "threadpoolctl" in sys.modules:
        _register(sys.modules["threadpoolctl"])
    else:
        sys.meta_path.insert(0, _Watcher())  # its base class would cost 8 ms to import


def _register(threadpoolctl: ModuleType) -> None:
    class FastactController(threadpoolctl.LibController):  # type: ignore[misc, name-defined]
        """Reaches the thread pool inside the kernels' shared library."""

        user_api = "fastact"
        internal_api = "fastact"
        filename_prefixes = ("x86_64_v", "aarch64", "generic")
        check_symbols = ("pool_num_threads", "pool_set_num_threads")

        def get_num_threads(self) -> int:
            return int(self.dynlib.pool_num_threads())

        def set_num_threads(self, num_threads: int) -> None:
            self.dynlib.pool_set_num_threads(num_threads)

        def get_version(self) -> str:
            from fastact import __version__

            return __version__

    threadpoolctl.register(FastactController)


class _Watcher:
    """Waits for the import of threadpoolctl, which `import fastact` must not bring about, and then steps aside."""

    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != "threadpoolctl":
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            spec.loader = _RegisteringLoader(spec.loader)  # type: ignore[assignment]  # as above
        return spec


class _RegisteringLoader:
    """Loads a module as its own loader does, and registers the controller with it."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        _register(module)
