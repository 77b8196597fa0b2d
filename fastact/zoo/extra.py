"""Packages of the `zoo` extra that are not installed."""

from __future__ import annotations

# Modules that pip installs under another name.
PACKAGES = {"sklearn": "scikit-learn"}


def needs(asker: str, error: ImportError) -> str:
    """The line that says what to install."""
    module = (error.name or "").partition(".")[0]
    return f"{asker} needs {PACKAGES.get(module, module)}: pip install 'fastact[zoo]'"
