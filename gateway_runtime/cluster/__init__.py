"""A pod's edge to its cluster: ConfigMaps and Secrets in, a Lease out."""
