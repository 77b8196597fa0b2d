"""Benchmarks of this repository: pytest-benchmark suites, and what the repository shows of a measurement."""
