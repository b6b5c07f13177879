"""Health, metrics, snapshot and the access log."""
