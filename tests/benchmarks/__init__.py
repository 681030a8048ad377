"""Measurements; they assert nothing. Each runs as `python -m tests.benchmarks.NAME [--quick] [--json FILE]`."""
