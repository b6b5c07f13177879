"""A broker's id, ports and identities -> the text of its server.properties.

Clients may come in the clear, by TLS (with a certificate if they like), by SASL, or by both; see `PROTOCOLS`.
Brokers and controllers speak SASL among themselves, so that a client without credentials is nobody special.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from e2e.components.kafka_certificates import Identity
from e2e.components.kafka_tokens import AUDIENCE, ISSUER
from e2e.components.ports import ADDRESS

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")
USERS = {"admin": "admin-secret", "alice": "alice-secret", "bob": "bob-secret"}
"""Users of PLAIN and SCRAM with their passwords, and clients of OAUTHBEARER; `admin` may do everything."""
_CONTROLLER = "CONTROLLER"
_PACKAGE = "org.apache.kafka.common.security"
_FEW = 4


@dataclass(frozen=True, slots=True)
class Options:
    """What a cluster is like; `properties` go before what is set here."""

    brokers: int = 3
    open: bool = True
    """Whether everybody may do everything where no ACL is about a resource."""
    first_port: int = 0
    """The port of the first broker for clients without TLS and SASL, and so on; 0: any that are free."""
    java: tuple[str, ...] = ("-Xms96m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a broker is: its id, its folder and a port for each protocol and for the controllers."""

    id: int
    folder: Path
    ports: Mapping[str, int]

    def listener(self, name: str) -> str:
        """A listener as server.properties has it."""
        return f"{name}://{ADDRESS}:{self.ports[name]}"


def ports_needed() -> tuple[str, ...]:
    """The names of the ports of each broker."""
    return (*PROTOCOLS, _CONTROLLER)


def server_properties(
    place: Place, all_places: list[Place], options: Options, trust: tuple[Identity, Path], jwks: Path
) -> str:
    """The file's text; `trust` is the broker's identity and the authority's certificate."""
    lines = _roles(place, all_places) | _small(len(all_places)) | _authorization(options)
    lines |= _tls(*trust) | _sasl(jwks) | dict(options.properties)
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def _roles(place: Place, all_places: list[Place]) -> dict[str, str]:
    voters = ",".join(f"{one.id}@{ADDRESS}:{one.ports[_CONTROLLER]}" for one in all_places)
    protocols = ",".join([*(f"{name}:{name}" for name in PROTOCOLS), f"{_CONTROLLER}:SASL_PLAINTEXT"])
    return {
        "process.roles": "broker,controller",
        "node.id": str(place.id),
        "controller.quorum.voters": voters,
        "controller.listener.names": _CONTROLLER,
        "listeners": ",".join(place.listener(name) for name in ports_needed()),
        "advertised.listeners": ",".join(place.listener(name) for name in PROTOCOLS),
        "listener.security.protocol.map": protocols,
        "inter.broker.listener.name": "SASL_PLAINTEXT",
        "log.dirs": str(place.folder / "data"),
    }


def _small(brokers: int) -> dict[str, str]:
    """Few partitions and short times: a test's cluster is small, and its brokers come and go.

    Leaders move only where a test moves them. Left to itself, the controller hands leadership back to a
    broker that came again up to five minutes later, in the midst of another test.
    """
    copies, least = str(min(brokers, 3)), str(min(brokers, 2))
    return {
        "num.partitions": "3",
        "default.replication.factor": copies,
        "min.insync.replicas": least,
        "offsets.topic.num.partitions": str(_FEW),
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.num.partitions": str(_FEW),
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": least,
        "share.coordinator.state.topic.num.partitions": str(_FEW),
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": least,
        "group.initial.rebalance.delay.ms": "0",
        "broker.heartbeat.interval.ms": "500",
        "broker.session.timeout.ms": "6000",
        "auto.leader.rebalance.enable": "false",
        "controlled.shutdown.retry.backoff.ms": "500",
        "log.cleaner.dedupe.buffer.size": str(8 * 1024 * 1024),
        "num.io.threads": str(_FEW),
        "num.network.threads": "2",
    }


def _authorization(options: Options) -> dict[str, str]:
    return {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:admin",
        "allow.everyone.if.no.acl.found": str(options.open).lower(),
    }


def _tls(identity: Identity, authority: Path) -> dict[str, str]:
    return {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(identity.both),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority),
        "listener.name.ssl.ssl.client.auth": "requested",
        "listener.name.ssl.ssl.principal.mapping.rules": "RULE:^CN=([^,]+)$/$1/,DEFAULT",
    }


def _sasl(jwks: Path) -> dict[str, str]:
    lines = {
        "sasl.enabled.mechanisms": ",".join(MECHANISMS),
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "sasl.mechanism.controller.protocol": "PLAIN",
        "sasl.oauthbearer.jwks.endpoint.url": jwks.as_uri(),
        "sasl.oauthbearer.expected.audience": AUDIENCE,
        "sasl.oauthbearer.expected.issuer": ISSUER,
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": _plain_login(),
    }
    for listener in ("sasl_plaintext", "sasl_ssl"):
        lines |= _sasl_listener(f"listener.name.{listener}")
    return lines


def _sasl_listener(name: str) -> dict[str, str]:
    scram = f"{_PACKAGE}.scram.ScramLoginModule required;"
    handler = f"{_PACKAGE}.oauthbearer.OAuthBearerValidatorCallbackHandler"
    return {
        f"{name}.plain.sasl.jaas.config": _plain_login(),
        f"{name}.scram-sha-256.sasl.jaas.config": scram,
        f"{name}.scram-sha-512.sasl.jaas.config": scram,
        f"{name}.oauthbearer.sasl.jaas.config": f"{_PACKAGE}.oauthbearer.OAuthBearerLoginModule required;",
        f"{name}.oauthbearer.sasl.server.callback.handler.class": handler,
    }


def _plain_login() -> str:
    users = " ".join(f'user_{name}="{password}"' for name, password in USERS.items())
    own = f'username="admin" password="{USERS["admin"]}"'
    return f"{_PACKAGE}.plain.PlainLoginModule required {own} {users};"
