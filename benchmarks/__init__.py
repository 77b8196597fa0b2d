"""Benchmarks of this repository: pytest-benchmark suites, and what is made of the last full measurement."""
