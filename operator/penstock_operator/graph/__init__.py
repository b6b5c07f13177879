"""All resources linked and validated; problems become conditions."""
