"""The proxies that are measured: each turns a work into a configuration and a command."""
