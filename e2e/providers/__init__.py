"""Clusters with real pods behind one interface: kind where Docker has its node image, else a native node."""
