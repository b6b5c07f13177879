"""The credentials for a cluster to logins: what is costly is done once for all connections."""

from __future__ import annotations

from gateway_runtime.connections.kafka_broker import ClientExchange, Login
from gateway_runtime.connections.kafka_token import ClusterTokens
from gateway_runtime.protocols.kafka.sasl_client import (
    OAuthBearerClient,
    PlainClient,
    ScramClient,
    ScramPassword,
)
from gateway_runtime.snapshot.kafka import KafkaCluster, OAuthSasl, PlainSasl


def login_of(cluster: KafkaCluster) -> Login | None:
    """How the gateway logs in; None where it need not. Raises SaslError for credentials of no use."""
    sasl = cluster.sasl
    if sasl is None:
        return None
    if isinstance(sasl, OAuthSasl):
        tokens = ClusterTokens(sasl)

        async def bearer() -> ClientExchange:
            return OAuthBearerClient(await tokens.token())

        return Login("OAUTHBEARER", bearer)
    if isinstance(sasl, PlainSasl):
        plain = PlainClient(sasl.username, sasl.password)

        async def same() -> ClientExchange:
            return plain

        return Login("PLAIN", same)
    password = ScramPassword(sasl.mechanism, sasl.username, sasl.password)

    async def scram() -> ClientExchange:
        return ScramClient(password)

    return Login(sasl.mechanism, scram)
