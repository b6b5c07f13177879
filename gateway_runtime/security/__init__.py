"""How plans let requests in: keyless, API keys, tokens."""
