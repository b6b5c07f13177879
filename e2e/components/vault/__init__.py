"""HashiCorp Vault for tests: a server built from its Go module. Never shipped: its licence is the BSL."""
