"""The data plane: what serves the traffic."""
