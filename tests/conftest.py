"""What every test module shares: which engine is under test."""

from __future__ import annotations

import pytest

import fastact


def pytest_report_header() -> str:
    configuration = fastact.config()
    return f"fastact engine: {configuration['engine']} {configuration['cpu_target'] or ''}"


@pytest.fixture
def engine() -> str:
    """The name of the engine under test."""
    return str(fastact.config()["engine"])
