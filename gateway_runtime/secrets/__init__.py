"""References to secrets -> their values: resolved by providers, kept in memory, followed as they change."""
