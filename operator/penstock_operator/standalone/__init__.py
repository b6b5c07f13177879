"""The pipeline and the runtime without a cluster."""
