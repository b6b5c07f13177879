"""End-to-end: the real components that Penstock meets in a cluster, and clusters made of them."""
