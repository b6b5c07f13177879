"""YAML of a folder, read with its places and watched."""
