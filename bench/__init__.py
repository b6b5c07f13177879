"""Benchmarks of Penstock beside its peers, in one run on one machine."""
