"""The peers by name, in the order of the table."""

from __future__ import annotations

from bench.peers.base import Peer
from bench.peers.envoy import Envoy
from bench.peers.haproxy import HAProxy
from bench.peers.nginx import Nginx
from bench.peers.penstock import Penstock

PEERS: dict[str, Peer] = {peer.name: peer for peer in (Envoy(), Nginx(), HAProxy(), Penstock())}
