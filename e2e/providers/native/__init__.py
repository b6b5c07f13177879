"""One real Kubernetes node on this machine, in namespaces of its own."""
