"""Manifests for a Kafka API -> `penstock run` in front of a cluster, and how clients get there."""

from __future__ import annotations

import random
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Any

import yaml
from kafka_access import PATIENCE, Access

from e2e.components.kafka import Kafka
from e2e.components.kafka_configuration import USERS
from e2e.components.waiting import wait_until

sys.path.append(str(Path(__file__).parents[1] / "processes"))
from running import Running

HOST = "127.0.0.1"
GROUP = "penstock.dev/v1alpha1"
MOST_BROKERS = 3
Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Setup:
    """What a gateway is in front of, and what is between; each part as in a manifest."""

    endpoint: Manifest
    plans: dict[str, Manifest] = field(default_factory=lambda: {"open": {"keyless": {}}})
    """The security of each plan by its name."""
    subscriptions: dict[str, Manifest] = field(default_factory=dict)
    """The rest of each subscription's spec by its name: its plan is named by `planRef` there."""
    flows: tuple[Manifest, ...] = ()
    settings: Manifest = field(default_factory=dict)
    """`spec.kafka` of the API."""
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    tls: Manifest | None = None
    by_host: bool = False
    timeouts: Manifest = field(default_factory=dict)
    """Of the endpoint."""
    gateway: Manifest = field(default_factory=dict)
    """More of the GatewayDeployment's spec."""

    def open_to(self, name: str, key: str) -> Setup:
        """The same with a subscription of a plan with API keys in place of the open plan."""
        spec = {"planRef": {"name": "keys"}, "apiKey": {"secretRef": {"name": name, "key": "key"}}}
        return replace(
            self,
            plans={name: one for name, one in self.plans.items() if name != "open"}
            | {"keys": {"apiKey": {}}},
            subscriptions=self.subscriptions | {name: spec},
            secrets=self.secrets | {name: {"key": key}},
        )


def upstream(kafka: Kafka, mechanism: str = "", *, tls: bool = False, user: str = "alice") -> Manifest:
    """The endpoint of an API for a cluster: how the gateway itself logs in there."""
    protocol = f"SASL_{'SSL' if tls else 'PLAINTEXT'}" if mechanism else "SSL" if tls else "PLAINTEXT"
    made: Manifest = {"bootstrapServers": kafka.bootstrap(protocol).split(",")}
    if tls:
        made["tls"] = {"ca": kafka.authority.certificate.read_text()}
    if tls and not mechanism:
        identity = kafka.authority.identity(user)
        made["tls"] |= {"certificate": identity.certificate.read_text(), "key": identity.key.read_text()}
    return made | ({"sasl": _sasl(kafka, mechanism, user)} if mechanism else {})


def _sasl(kafka: Kafka, mechanism: str, user: str) -> Manifest:
    login = {"username": user, "password": USERS[user]}
    if mechanism == "PLAIN":
        return {"plain": login}
    if mechanism == "OAUTHBEARER":
        client = {"clientId": user, "clientSecret": USERS[user]}
        return {"oauthBearer": {"tokenUrl": kafka.provider.token_url, **client}}
    return {"scram": login | {"mechanism": mechanism}}


class KafkaGateway:
    """A gateway that serves one Kafka API, `orders`; it may be given another setup while it runs."""

    def __init__(self, folder: Path, setup: Setup, *options: str) -> None:
        self._folder = folder
        self.port = free_block(1 + MOST_BROKERS)
        self.apply(setup)
        self._options = options
        self._start()

    def _start(self) -> None:
        self.running = Running(self._folder, *self._options)
        try:
            wait_until("the gateway", self._is_ready, seconds=PATIENCE)
        except BaseException:
            self.running.stop()
            raise

    def _is_ready(self) -> bool:
        with suppress(OSError, HTTPException):
            return self.running.page("/readyz")[0] == HTTPStatus.OK
        return False

    @property
    def access(self) -> Access:
        """How a client without credentials gets in."""
        return Access(f"{HOST}:{self.port}")

    @property
    def nodes(self) -> set[str]:
        """The addresses of brokers that clients may see, where they are told apart by port."""
        return {f"{HOST}:{self.port + number}" for number in range(1, MOST_BROKERS + 1)}

    def apply(self, setup: Setup) -> None:
        """Writes the manifests; where the gateway runs it serves them soon."""
        replacement = self._folder / ".replacement"
        replacement.write_text(yaml.safe_dump_all(manifests(setup, self.port)))
        replacement.rename(self._folder / "all.yaml")

    def restart(self) -> int:
        """Has it end in order, and starts it anew at the same ports; the exit code of the first."""
        self.running.signal(signal.SIGTERM)
        code = self.running.exit_code()
        self._start()
        return code

    def stop(self) -> None:
        """Ends it."""
        self.running.stop()


def manifests(setup: Setup, port: int) -> list[Manifest]:
    """All that the gateway reads."""
    api = {"apiRef": {"name": "orders"}}
    made = [_gateway(setup, port), _api(setup, port)]
    made += [_resource("Plan", name, api | {"security": one}) for name, one in setup.plans.items()]
    for name, spec in setup.subscriptions.items():
        made.append(_resource("Subscription", name, {"application": {"name": name}} | spec))
    for name, values in setup.secrets.items():
        made.append({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": values})
    return made


def _gateway(setup: Setup, port: int) -> Manifest:
    listener: Manifest = {"name": "kafka", "protocol": "Kafka", "address": HOST}
    if setup.by_host:
        routing = {"bootstrap": "{api}.kafka.test", "broker": "{api}-{broker}.kafka.test"}
        listener |= {"port": port, "routing": {"type": "Host", **routing}}
    else:
        ports = f"{port}-{port + MOST_BROKERS}"
        listener["routing"] = {"type": "Port", "range": ports, "host": HOST}
    if setup.tls:
        listener["tls"] = setup.tls
    return _resource("GatewayDeployment", "edge", {"workers": 1, "listeners": [listener]} | setup.gateway)


def _api(setup: Setup, port: int) -> Manifest:
    listener = {} if setup.by_host else {"port": port, "firstBroker": 1, "brokers": MOST_BROKERS}
    group = {"name": "main", "endpoints": [{"name": "cluster", "kafka": setup.endpoint}]}
    if setup.timeouts:
        group["timeouts"] = setup.timeouts
    spec: Manifest = {
        "type": "Kafka",
        "listeners": [{"kafka": listener}],
        "endpointGroups": [group],
        "flows": list(setup.flows),
    }
    return _resource("ApiDefinition", "orders", spec | ({"kafka": setup.settings} if setup.settings else {}))


def _resource(kind: str, name: str, spec: Manifest) -> Manifest:
    return {"apiVersion": GROUP, "kind": kind, "metadata": {"name": name}, "spec": spec}


def free_block(count: int) -> int:
    """The first of so many ports in a row that nobody listens on and no outgoing connection takes."""
    for _ in range(100):
        first = random.randrange(10_000, 30_000)
        if all(_is_free(port) for port in range(first, first + count)):
            return first
    raise RuntimeError(f"no {count} free ports in a row")


def _is_free(port: int) -> bool:
    with suppress(OSError), socket.create_server((HOST, port)):
        return True
    return False
