"""Models of the CRDs: the source of their YAML and reference."""
