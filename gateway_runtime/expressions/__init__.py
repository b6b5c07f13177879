"""The `{#...}` expressions of a configuration, compiled once at load."""
