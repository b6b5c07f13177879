"""What the scenarios share beyond a cluster: the installed chart, backends, and traffic."""
