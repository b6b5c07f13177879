"""From the graph to the snapshot of each gateway."""
