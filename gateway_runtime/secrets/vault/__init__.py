"""HashiCorp Vault -> documents of secrets, by hvac in a few threads."""
