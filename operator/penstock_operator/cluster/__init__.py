"""The operator in a cluster: all that reads from and writes to the Kubernetes API."""
