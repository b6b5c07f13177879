"""The operator with thousands of APIs on a real Kubernetes API: its times, its memory, its requests."""
