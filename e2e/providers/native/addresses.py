"""The names and addresses inside a native node: constants, because its network namespace is its own."""

NODE = "penstock-node"
PODS = "10.244.0.0/24"
SERVICES = "10.96.0.0/16"
API_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"
DNS_DOMAIN = "cluster.local"
API_SERVER_PORT = 6443
PAUSE_IMAGE = "penstock.invalid/pause:1"
COREDNS_IMAGE = "penstock.invalid/coredns:1"
