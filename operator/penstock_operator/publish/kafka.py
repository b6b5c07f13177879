"""Turns what is Kafka's in an API and in the listeners of a gateway into the wire."""

from __future__ import annotations

from gateway_runtime.snapshot import kafka as wire
from gateway_runtime.snapshot.wire import SecretRef
from penstock_operator.graph.kafka_routes import kafka_name
from penstock_operator.graph.references import secret_uri
from penstock_operator.resources.api_definition import ApiDefinition, EndpointTimeouts
from penstock_operator.resources.gateway_deployment import Listener
from penstock_operator.resources.kafka_api import KafkaEndpoint, KafkaLimits, KafkaSettings, KafkaTls, Sasl
from penstock_operator.resources.kafka_routing import CLIENT_CA, ListenerTls
from penstock_operator.resources.secret_provider import TLS_CERTIFICATE, TLS_KEY

_SETTINGS = KafkaSettings()


def kafka_api(api: ApiDefinition) -> wire.KafkaApi | None:
    """What an API of type Kafka is; None where it is none."""
    listener, group = api.spec.listeners[0].kafka, api.spec.endpoint_groups[0]
    endpoint = group.endpoints[0]
    if listener is None or endpoint.kafka is None:
        return None
    settings = api.spec.kafka or _SETTINGS
    return wire.KafkaApi(
        name=kafka_name(api, listener),
        cluster=_cluster(endpoint.name, endpoint.kafka, group.timeouts),
        port=listener.port or 0,
        brokers=listener.brokers,
        first_broker=listener.first_broker,
        limits=_limits(settings.limits),
        client_telemetry=settings.client_telemetry == "Forward",
    )


def kafka_listener(listener: Listener, namespace: str) -> wire.KafkaListener:
    """A listener of a gateway in a namespace."""
    routing, ports = listener.routing, listener.ports
    assert routing is not None
    return wire.KafkaListener(
        name=listener.name,
        port=ports[0],
        last_port=ports[-1] if routing.type == "Port" else 0,
        address=listener.address,
        host=routing.host or "",
        bootstrap=routing.bootstrap or "",
        broker=routing.broker or "",
        tls=_listener_tls(listener.tls, namespace) if listener.tls else None,
    )


def _listener_tls(tls: ListenerTls, namespace: str) -> wire.ListenerTls:
    def named(secret: str, key: str) -> SecretRef:
        return SecretRef(uri=secret_uri(namespace, secret, key))

    return wire.ListenerTls(
        certificates=tuple(
            wire.Certificate(chain=named(one.name, TLS_CERTIFICATE), key=named(one.name, TLS_KEY))
            for one in tls.certificate_refs
        ),
        client_ca=named(tls.client_ca_ref.name, CLIENT_CA) if tls.client_ca_ref else None,
    )


def _cluster(name: str, endpoint: KafkaEndpoint, timeouts: EndpointTimeouts) -> wire.KafkaCluster:
    return wire.KafkaCluster(
        name=name,
        bootstrap_servers=endpoint.bootstrap_servers,
        tls=_tls(endpoint.tls) if endpoint.tls else None,
        sasl=_sasl(endpoint.sasl) if endpoint.sasl else None,
        connect_timeout=timeouts.connect,
        response_timeout=timeouts.response,
    )


def _tls(tls: KafkaTls) -> wire.KafkaTls:
    return wire.KafkaTls(
        ca=tls.ca,
        certificate=tls.certificate,
        key=tls.key,
        server_name=tls.server_name,
        verify=tls.verify,
    )


def _sasl(sasl: Sasl) -> wire.ClusterSasl:
    if sasl.plain is not None:
        return wire.PlainSasl(username=sasl.plain.username, password=sasl.plain.password)
    if sasl.scram is not None:
        scram = sasl.scram
        return wire.ScramSasl(username=scram.username, password=scram.password, mechanism=scram.mechanism)
    oauth = sasl.oauth_bearer
    assert oauth is not None
    return wire.OAuthSasl(
        token_url=oauth.token_url,
        client_id=oauth.client_id,
        client_secret=oauth.client_secret,
        scope=oauth.scope,
    )


def _limits(limits: KafkaLimits) -> wire.KafkaLimits:
    return wire.KafkaLimits(
        frame=limits.frame,
        connections=limits.connections,
        in_flight=limits.in_flight,
        max_connection_age=limits.max_connection_age,
    )
