"""Real components for tests (etcd, the Kubernetes API server, ...): built once, cached, run and ended."""
