"""Counters that the workers of one process group share."""
