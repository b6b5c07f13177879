"""The control plane: what should run."""
