"""The status of every resource, from the graph and from what is seen to run."""
