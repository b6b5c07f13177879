"""A snapshot compiled to what runs: router, plans, policy chains, endpoint groups."""
