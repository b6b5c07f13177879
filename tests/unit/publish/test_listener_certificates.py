"""The certificates of Kafka listeners go to workers beside the snapshot, which names them."""

from __future__ import annotations

from penstock_operator.graph.build import build_graph
from penstock_operator.manifests.reader import Manifest, read_text
from penstock_operator.publish.secrets import SecretValues
from penstock_operator.publish.snapshots import build_snapshots
from penstock_operator.resources.parse import Parsed, parse

EDGE = """
apiVersion: penstock.dev/v1alpha1
kind: GatewayDeployment
metadata: {name: edge, namespace: gateways}
spec:
  listeners:
  - name: hosts
    protocol: Kafka
    port: 9092
    tls: {certificateRefs: [{name: one}, {name: two}], clientCaRef: {name: clients}}
    routing: {type: Host, bootstrap: "{api}.example.com", broker: "{api}-{broker}.example.com"}
  - {name: ports, protocol: Kafka, routing: {type: Port, range: 9100-9120, host: localhost}}
---
apiVersion: v1
kind: Secret
metadata: {name: one, namespace: gateways}
stringData: {tls.crt: chain-1, tls.key: key-1, ca.crt: not-asked-for}
---
apiVersion: v1
kind: Secret
metadata: {name: two, namespace: gateways}
stringData: {tls.crt: chain-2}
---
apiVersion: v1
kind: Secret
metadata: {name: clients, namespace: gateways}
stringData: {ca.crt: ca-1, other: not-asked-for}
"""


def test_just_what_listeners_name_is_given_to_workers() -> None:
    parsed = [parse(one) for one in read_text(EDGE, "edge.yaml") if isinstance(one, Manifest)]
    resources = [one for one in parsed if isinstance(one, Parsed)]
    snapshot = build_snapshots(build_graph(resources))["gateways/edge"]
    prefix = "kubernetes/gateways/"
    assert SecretValues().of(resources, snapshot) == {
        f"{prefix}one:tls.crt": "chain-1",
        f"{prefix}one:tls.key": "key-1",
        f"{prefix}two:tls.crt": "chain-2",
        f"{prefix}clients:ca.crt": "ca-1",
    }
