"""Secrets reach every string of every configuration: those of resources, policies and plug-ins to come too.

Both tests go over the models themselves. A new string is marked, and then found by the graph and evaluated by
the runtime, or it is listed here as one that is never a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from configurations import MARKERS, Builder, Field, models, reachable, strings
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import BaseModel

from gateway_runtime.counters.local import LocalCounter
from gateway_runtime.policies.registry import built_in_policies, find_policy
from gateway_runtime.program.compile import ApiCompiler, Surroundings
from gateway_runtime.program.kafka import KafkaProgram
from gateway_runtime.program.program import compile_program
from gateway_runtime.secrets.hidden import SecretText
from gateway_runtime.security.jwks import KeySets
from gateway_runtime.snapshot.types import Snapshot
from gateway_runtime.stats import WorkerStats
from penstock_operator.graph.build import build_graph
from penstock_operator.manifests.reader import Manifest
from penstock_operator.publish.snapshots import build_snapshots
from penstock_operator.resources.api_definition import ApiDefinitionSpec, Endpoint, Listener
from penstock_operator.resources.flows import HTTP_PHASES, KAFKA_PHASES, STEPS, Flow, RequestStep
from penstock_operator.resources.kafka_api import Sasl
from penstock_operator.resources.kinds import KINDS
from penstock_operator.resources.meta import ExactlyOne
from penstock_operator.resources.parse import Parsed, parse
from penstock_operator.resources.plan import JwtKey, PlanSpec, Security
from penstock_operator.resources.schema import structural_schema

NEVER_SECRET: dict[str, tuple[str, ...]] = {
    # names, which others refer to
    "Endpoint": ("name",), "EndpointGroup": ("name",), "Flow": ("name",), "KafkaListener": ("name",),
    **{step.__name__: ("name",) for step in STEPS.values()},
    "CustomPolicy": ("name", "configuration"), "NameRef": ("name",),
    "SecretKeyRef": ("name", "key"), "ApiDefinitionSpec": ("version", "description", "tags", "properties"),
    "PlanSpec": ("description",), "ServiceRef": ("name", "namespace", "port"),
    # what requests are matched by, and what clients may see
    "HttpListener": ("hosts", "path"), "PathMatch": ("value",), "ApiKey": ("header", "query"),
    "FlowMatch": ("topics",), "KafkaTopicPolicy": ("name_pattern",), "Setting": ("values",),
    "Jwt": ("client_id_claim",), "OAuth2": ("client_id_claim",), "RewriteUrl": ("pattern",),
    "TransformHeaders": ("remove",), "KafkaTransform": ("remove_headers",),
    "IpFiltering": ("allow", "deny"), "JsonValidation": ("schema_",),
    "Cors": ("allow_origins", "allow_methods", "allow_headers", "expose_headers"),
}  # fmt: skip
POLICIES = [policy.configuration for policy in built_in_policies().values()]
OF_APIS = reachable(ApiDefinitionSpec, PlanSpec, *POLICIES)
URLS = (
    ("Endpoint", "url"), ("Jwks", "url"), ("OAuth2", "introspection_url"), ("OAuthBearerSasl", "token_url"),
    ("Registry", "url"),
)  # fmt: skip
OF_KAFKA_ALONE: dict[type[ExactlyOne], set[str]] = {
    Security: {"oauth2", "mtls"},
    Sasl: set(Sasl.choices()),
    Listener: {"kafka"},
    Endpoint: {"kafka"},
} | {STEPS[phase]: set(STEPS[phase].choices()) for phase in KAFKA_PHASES}
OMITTED = {
    "Proxy": [("ApiDefinitionSpec", "kafka"), ("FlowMatch", "topics")]
             + [("Flow", one) for one in KAFKA_PHASES],
    "Kafka": [("ApiDefinitionSpec", "response_templates"), ("Endpoint", "headers"), ("FlowMatch", "path"),
              ("FlowMatch", "methods"), ("Setting", "values")] + [("Flow", one) for one in HTTP_PHASES],
}  # fmt: skip
PLUG_IN = """
from typing import Annotated
from pydantic import Field
from gateway_runtime.kafka.record_flows import RecordStep
from gateway_runtime.policies.base import PolicyConfiguration, PolicyType
from gateway_runtime.policies.fields import StrictModel, Template

class Inner(StrictModel):
    text: Template

class Callout(PolicyConfiguration):
    url: Template
    bodies: Annotated[tuple[Inner, ...], Field(strict=False)]
    by_name: dict[str, Template]

def compile(configuration, environment):
    for text in (configuration.url, *(one.text for one in configuration.bodies),
                 *configuration.by_name.values()):
        environment.template(text)
    return lambda exchange: None

class Step(RecordStep):
    def __init__(self, configuration, environment):
        compile(configuration, environment)

POLICY = PolicyType("callout", Callout, request=compile, response=compile, connect=compile, interact=compile,
                    publish=Step, subscribe=Step)
"""


Variant = dict[type[ExactlyOne], str]
"""Which choice of some unions is set."""


def marked(model: type[BaseModel]) -> set[Field]:
    """The strings of a model that may hold secrets."""
    return {
        (model.__name__, name)
        for name, info in model.model_fields.items()
        if set(strings(info.annotation, tuple(info.metadata))) - {"plain"}
    }


def test_every_string_of_an_api_may_hold_secrets_or_is_never_one() -> None:
    undecided = {
        (model.__name__, name)
        for model in OF_APIS
        for name, info in model.model_fields.items()
        if "plain" in strings(info.annotation, tuple(info.metadata))
        and name not in NEVER_SECRET.get(model.__name__, ())
    }
    assert undecided == set()


def test_what_the_operator_reads_itself_holds_no_secrets() -> None:
    flows = reachable(Flow)
    others = {"GatewayDeployment", "Subscription", "GatewaySecret"}
    own = reachable(*(KINDS[kind] for kind in others)) - flows
    assert {field for model in own for field in marked(model)} == set()


def test_the_schema_says_of_each_string_whether_expressions_are_there() -> None:
    notes = [marker.note for marker in MARKERS]
    for model in OF_APIS:
        properties = structural_schema(model).get("properties", {})
        wanted = {name for _, name in marked(model)}
        for name, info in model.model_fields.items():
            own = {**properties[info.alias or name]}
            own.pop("properties", None)
            text = str(own) if not set(models(info.annotation)) else str(own.get("description"))
            assert any(note in text for note in notes) == (name in wanted), (model, name)


def variants() -> Iterator[tuple[str, Variant]]:
    """Each choice of each union at least once, with the type of API that has it."""
    for union in (model for model in OF_APIS if issubclass(model, ExactlyOne)):
        for choice in union.choices():
            of_kafka = choice in OF_KAFKA_ALONE.get(union, ())
            base: Variant = {Listener: "kafka", Endpoint: "kafka"} if of_kafka else {}
            if (union, choice) != (JwtKey, "secretRef"):  # goes with other algorithms, and has no string
                yield "Kafka" if of_kafka else "Proxy", {Security: "jwt", **base, union: choice}


LISTENERS = [
    {"name": "http", "port": 8080},
    {"name": "kafka", "protocol": "Kafka", "routing": {"type": "Port", "range": "1-200", "host": "a"}},
]


class Recorder(Mapping[str, SecretText]):
    """Values of secrets that notes which are asked for."""

    def __init__(self, values: dict[str, str]) -> None:
        self.values_ = values
        self.asked: set[str] = set()

    def __getitem__(self, uri: str) -> SecretText:
        self.asked.add(uri)
        return SecretText(self.values_[uri])

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_)

    def __len__(self) -> int:
        return len(self.values_)


def resource(kind: str, name: str, spec: dict[str, Any]) -> Parsed:
    data = {"apiVersion": "penstock.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
    parsed = parse(Manifest("a.yaml", 0, 1, data))
    assert isinstance(parsed, Parsed), parsed
    return parsed


def secret(values: dict[str, str]) -> Parsed:
    data = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "store"}, "stringData": values}
    parsed = parse(Manifest("a.yaml", 0, 1, data))
    assert isinstance(parsed, Parsed), parsed
    return parsed


GATEWAY = resource("GatewayDeployment", "all", {"listeners": LISTENERS})


@pytest.fixture(scope="module")
def public_key() -> str:
    key = generate_private_key(65537, 2048).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.fixture
def plug_in(install: Callable[..., None]) -> tuple[str, type[BaseModel]]:
    install("callout_of_tests", PLUG_IN, callout="callout_of_tests:POLICY")
    policy = find_policy("callout")
    assert policy is not None
    return "callout", policy.configuration


def published_with_secrets(builder: Builder, type_: str, public_key: str) -> tuple[Snapshot, Recorder]:
    """A plan and an API of the builder, as they are published; nothing is wrong with them."""
    api, plan = builder.build(ApiDefinitionSpec), builder.build(PlanSpec)
    api["type"], api["tags"], plan["apiRef"] = type_, [], {"name": "a"}
    special = {**dict.fromkeys(URLS, "http://a/b"), ("JwtKey", "public_key"): public_key}
    values = {name: special.get(field, "/v") for name, field in builder.used.items()}
    named = [
        resource("GatewaySecret", name, {"source": {"kubernetes": {"name": "store", "key": name}}})
        for name in values
    ]
    resources = [resource("ApiDefinition", "a", api), resource("Plan", "a", plan), secret(values), *named]
    graph = build_graph([*resources, GATEWAY])
    assert [problem for problem in graph.problems if problem.severity == "Error"] == []
    recorder = Recorder({f"kubernetes/default/store:{name}": value for name, value in values.items()})
    return build_snapshots(graph)["default/all"], recorder


def compiled_with_secrets(builder: Builder, type_: str, public_key: str) -> None:
    """A plan and an API of the builder run, and every secret in them was resolved."""
    snapshot, recorder = published_with_secrets(builder, type_, public_key)
    surroundings = Surroundings(LocalCounter(), WorkerStats().api, KeySets().source, recorder)
    if type_ == "Kafka":
        section = snapshot.apis["default/a"].section
        compiler = ApiCompiler(section, snapshot.gateway, surroundings)
        assert KafkaProgram(compiler, section, snapshot.gateway, None).kafka == section.kafka
    else:
        program = compile_program(snapshot, surroundings)
        assert program.errors(program.apis) == {}
    asked = {uri.rpartition(":")[2] for uri in recorder.asked}
    assert {field for name, field in builder.used.items() if name not in asked} == set()


def test_secrets_in_every_string_are_found_and_resolved(
    public_key: str, plug_in: tuple[str, type[BaseModel]]
) -> None:
    reached: set[Field] = set()
    for type_, variant in variants():
        builder = Builder(
            lambda union, variant=variant: variant.get(union, default(union)),
            frozenset(OMITTED[type_]),
            plug_in=plug_in,
        )
        compiled_with_secrets(builder, type_, public_key)
        reached |= set(builder.used.values())
    wanted = {field for model in (*OF_APIS, *reachable(plug_in[1])) for field in marked(model)}
    assert wanted - reached == set()
    assert len(wanted) >= 20


def default(union: type[ExactlyOne]) -> str:
    return "mock" if union is RequestStep else next(iter(union.choices()))


def test_a_string_that_is_not_marked_is_refused_with_a_secret_in_it() -> None:
    builder = Builder(default, frozenset(OMITTED["Proxy"]))
    api = builder.build(ApiDefinitionSpec)
    api["properties"] = {"a": "{#secrets.get('s0')}"}
    graph = build_graph([resource("ApiDefinition", "a", api)])
    found = [problem.message for problem in graph.problems if problem.field == "spec.properties.a"]
    assert found == ["expressions are not evaluated in this field"]
