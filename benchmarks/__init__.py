"""Measurements, each a command. Run all with `make bench`; figures go to docs/benchmarks.md."""
