"""A Kafka API's section to what runs: who is let in, and what the policies add up to for each client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from gateway_runtime.exchange import ApiInfo, Exchange
from gateway_runtime.expressions.compile import Secrets
from gateway_runtime.expressions.settings import evaluate_setting
from gateway_runtime.kafka.addresses import Address
from gateway_runtime.kafka.record_flows import RecordFlow
from gateway_runtime.kafka.record_steps import RecordSteps
from gateway_runtime.kafka.rules import Rules
from gateway_runtime.policies.base import ConnectFunction, InteractFunction
from gateway_runtime.policies.environment import StepEnvironment
from gateway_runtime.policies.steps import compile_connect, compile_interact, compile_records
from gateway_runtime.program.compile import ApiCompiler, flow_place
from gateway_runtime.program.settings import with_settings
from gateway_runtime.security.kafka import KafkaAdmission
from gateway_runtime.security.kafka_identity import Admitted, exchange_of
from gateway_runtime.snapshot.kafka import KafkaApi, KafkaCluster
from gateway_runtime.snapshot.types import ApiSection, Flow, GatewaySection, Step, SubscriptionsSection

Holds = Callable[[Exchange], bool]


@dataclass(frozen=True, slots=True)
class _Flow:
    """The steps of one flow that are compiled to functions."""

    condition: Holds | None
    connect: tuple[ConnectFunction, ...]
    interact: tuple[InteractFunction, ...]
    publish: RecordFlow
    subscribe: RecordFlow


@dataclass(frozen=True, slots=True)
class Session:
    """What holds for one client: its rules, or why it may not connect."""

    rules: Rules
    records: RecordSteps
    refusal: str = ""


class KafkaProgram:
    """One Kafka API, compiled. `cluster` has its secrets."""

    __slots__ = ("_chains", "_platform", "admission", "cluster", "info", "kafka", "key")

    def __init__(
        self,
        compiler: ApiCompiler,
        section: ApiSection,
        gateway: GatewaySection,
        subscriptions: SubscriptionsSection | None,
    ) -> None:
        assert section.kafka is not None
        self.key = compiler.key
        self.kafka: KafkaApi = section.kafka
        self.info: ApiInfo = compiler.info()
        self.cluster = filled(section.kafka.cluster, compiler.named_secret)
        plans = tuple(with_settings(plan, compiler.named_secret) for plan in section.plans)
        self.admission = KafkaAdmission(replace(section, plans=plans), subscriptions, compiler)
        make = _Maker(compiler)
        own = make.flows(section.flows, "api")
        self._platform = make.flows(gateway.flows, "platform")
        self._chains = {plan.name: [*make.flows(plan.flows, f"plan {plan.name}"), *own] for plan in plans}

    def session(self, admitted: Admitted, remote_address: str) -> Session:
        """What holds for a client that was let in. Raises ExpressionError where a policy's fails."""
        exchange = exchange_of(admitted, self.info)
        exchange.request.remote_address = remote_address
        flows, rules = list(self._flows(exchange)), Rules()
        refusal = next((why for flow in flows for run in flow.connect if (why := run(exchange))), "")
        for interact in (run for flow in flows for run in flow.interact if not refusal):
            interact(exchange, rules)
        publish, subscribe = [flow.publish for flow in flows], [flow.subscribe for flow in flows]
        records = RecordSteps(exchange, publish, subscribe)
        rules.needs_topic_names = records.publishes or records.subscribes
        return Session(rules, records, refusal)

    def _flows(self, exchange: Exchange) -> Iterator[_Flow]:
        for flow in (*self._platform, *self._chains.get(exchange.plan, ())):
            if flow.condition is None or flow.condition(exchange):
                yield flow


class _Maker:
    """Compiles flows; `place` names each of their steps, as counters go by it."""

    def __init__(self, compiler: ApiCompiler) -> None:
        self._compiler = compiler

    def flows(self, flows: tuple[Flow, ...], scope: str) -> list[_Flow]:
        return [
            self._flow(flow, flow_place(self._compiler.key, scope, flows, index))
            for index, flow in enumerate(flows)
            if flow.has_kafka_steps
        ]

    def _flow(self, flow: Flow, place: str) -> _Flow:
        condition = None if flow.condition is None else self._compiler.condition(flow.condition)
        return _Flow(
            condition,
            tuple(
                compile_connect(step, self._environment(f"{place} connect {index}"))
                for index, step in enumerate(flow.connect)
            ),
            tuple(
                compile_interact(step, self._environment(f"{place} interact {index}"))
                for index, step in enumerate(flow.interact)
            ),
            self._records(flow, "publish", flow.publish, place),
            self._records(flow, "subscribe", flow.subscribe, place),
        )

    def _records(self, flow: Flow, phase: str, steps: tuple[Step, ...], place: str) -> RecordFlow:
        compiled = (
            compile_records(step, phase, self._environment(f"{place} {phase} {index}"))
            for index, step in enumerate(steps)
        )
        return RecordFlow(flow.topics, tuple(compiled))

    def _environment(self, place: str) -> StepEnvironment:
        return StepEnvironment(place, self._compiler.named_secret, self._compiler.counter)


def filled(cluster: KafkaCluster, secrets: Secrets) -> KafkaCluster:
    """A cluster's part with the values of secrets in its strings."""
    found: KafkaCluster = _filled(cluster, secrets)
    return found


def _filled(value: Any, secrets: Secrets) -> Any:
    if isinstance(value, str):
        return evaluate_setting(value, secrets)
    if isinstance(value, tuple):
        return tuple(_filled(one, secrets) for one in value)
    if isinstance(value, msgspec.Struct):
        changes = {name: _filled(getattr(value, name), secrets) for name in value.__struct_fields__}
        return replace(value, **changes)
    return value


def bootstrap_addresses(cluster: KafkaCluster) -> tuple[Address, ...]:
    """Where a cluster is first asked. Raises ValueError for text that is no HOST:PORT."""
    return tuple(_address(text) for text in cluster.bootstrap_servers)


def _address(text: str) -> Address:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 < int(port) < _PORTS:
        raise ValueError("a bootstrap server is no HOST:PORT")
    return Address(host.strip("[]"), int(port))


_PORTS: Final = 1 << 16
