"""A manifest becomes a resource, or problems in the user's words with their places."""

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_operator.manifests.reader import Manifest, ManifestError, read_file, read_text
from penstock_operator.resources.api_definition import ApiDefinition
from penstock_operator.resources.parse import Ignored, Parsed, parse, problem_of
from penstock_operator.resources.problems import Problem
from penstock_operator.resources.secret import SecretResource

API = """\
apiVersion: penstock.dev/v1alpha1
kind: ApiDefinition
metadata: {name: orders, namespace: shop}
spec:
  listeners:
  - http: {path: /orders}
  endpointGroups:
  - name: default
    endpoints:
    - {name: primary, url: "http://orders:8080"}
"""
PLAN = """\
apiVersion: penstock.dev/v1alpha1
kind: Plan
metadata: {name: gold}
spec:
  apiRef: {name: orders}
  security: {keyless: {}}
"""


def parse_text(text: str) -> Parsed | Ignored | tuple[Problem, ...]:
    (manifest,) = read_text(text, "a.yaml")
    assert isinstance(manifest, Manifest)
    return parse(manifest)


def problems(text: str) -> dict[str, str]:
    """Field -> message."""
    found = parse_text(text)
    assert isinstance(found, tuple)
    return {problem.field: problem.message for problem in found}


def with_steps(phase: str, steps: str) -> str:
    return f"{API}  flows:\n  - {phase}: {steps}\n"


def test_a_good_manifest_is_a_resource_with_defaults() -> None:
    parsed = parse_text(API)

    assert isinstance(parsed, Parsed)
    assert isinstance(parsed.resource, ApiDefinition)
    assert parsed.resource.key == "shop/orders"
    assert parsed.resource.spec.endpoint_groups[0].timeouts.connect == 3.0


def test_an_unknown_field_names_the_nearest_one_and_its_place(tmp_path: Path) -> None:
    path = tmp_path / "api.yaml"
    path.write_text("# mine\n" + API.replace("path: /orders", "pth: /orders"), encoding="utf-8")
    (manifest,) = read_file(path)

    (problem,) = parse(manifest)

    assert problem == Problem(
        severity="Error",
        reason="UnknownField",
        message="unknown field `pth`, did you mean `path`?",
        resource="ApiDefinition shop/orders",
        field="spec.listeners[0].http.pth",
        file=str(path),
        line=7,
    )


@pytest.mark.parametrize(
    ("old", "new", "field", "message"),
    [
        ("spec:", "extra: 1\nspec:", "extra", "unknown field `extra`; known: "),
        ("{path: /orders}", "{Path: /orders}", "spec.listeners[0].http.Path", "did you mean `path`?"),
        (
            "{path: /orders}",
            "{path: 7}",
            "spec.listeners[0].http.path",
            "expected a string, found `7`; put it in quotes",
        ),
        ("{path: /orders}", "{hosts: a.b}", "spec.listeners[0].http.hosts", "expected a list, found `a.b`"),
        ("{path: /orders}", "5", "spec.listeners[0].http", "expected a mapping, found `5`"),
        (
            "{path: /orders}",
            "{cors: {maxAge: 5}}",
            "spec.listeners[0].http.cors.maxAge",
            "a duration such as",
        ),
        ("spec:", "spec:\n  type: Proxxy", "spec.type", "`Proxxy` is not allowed; use `Proxy`"),
        ("spec:", "spec:\n  state: on", "spec.state", "`on` is not allowed; use `Started` or `Stopped`"),
        (
            "spec:",
            "spec:\n  accessLog: {enabled: yes}",
            "spec.accessLog.enabled",
            "expected true or false, found `yes`",
        ),
        ("- name: default", "- name: a/b", "spec.endpointGroups[0].name", "`a/b` does not match"),
        ("  - name: default\n    ", "  - ", "spec.endpointGroups[0].name", "`name` is needed"),
        (", namespace: shop", ", namespace: 5", "metadata.namespace", "expected a string, found `5`"),
        ("{name: orders, namespace: shop}", "{}", "metadata.name", "`name` is needed"),
        ("http://orders", "ftp://orders", "spec.endpointGroups[0].endpoints[0].url", "does not match"),
        (
            '    - {name: primary, url: "http://orders:8080"}',
            '    - {name: a, url: "http://a"}\n    - {name: a, url: "http://b"}',
            "spec.endpointGroups[0].endpoints",
            "the name `a` is there twice",
        ),
        (
            'url: "http://orders:8080"}',
            'url: "http://orders:8080", serviceRef: {name: orders, port: http}}',
            "spec.endpointGroups[0].endpoints[0]",
            "exactly one of `url`, `serviceRef`, `kafka` is needed, found `url` and `serviceRef`",
        ),
        (
            'url: "http://orders:8080"}',
            "serviceRef: {name: orders, port: 65536}}",
            "spec.endpointGroups[0].endpoints[0].serviceRef.port",
            "expected the number of a port, 1 to 65535, or its name",
        ),
        (
            'url: "http://orders:8080"}',
            "serviceRef: {name: orders, port: No_Port}}",
            "spec.endpointGroups[0].endpoints[0].serviceRef.port",
            "expected the number of a port, 1 to 65535, or its name",
        ),
        (
            '    - {name: primary, url: "http://orders:8080"}',
            "    - {name: a, url: 'http://a', headers: {'a b': c}}",
            "spec.endpointGroups[0].endpoints[0].headers.a b",
            "the name of this entry: `a b` does not match",
        ),
    ],
)
def test_a_wrong_field_is_explained(old: str, new: str, field: str, message: str) -> None:
    found = problems(API.replace(old, new))

    assert list(found) == [field]
    assert message in found[field]


def test_all_problems_of_a_document_are_reported() -> None:
    found = problems(
        API.replace("path:", "pth:").replace("url:", "ulr:").replace("spec:", "spec:\n  tags: 5")
    )

    endpoint = "spec.endpointGroups[0].endpoints[0]"
    assert set(found) == {"spec.tags", "spec.listeners[0].http.pth", f"{endpoint}.ulr"}


@pytest.mark.parametrize(
    ("phase", "steps", "field", "message"),
    [
        (
            "request",
            "[{rateLimt: {}}]",
            "request[0].rateLimt",
            "unknown policy `rateLimt`, did you mean `rateLimit`?",
        ),
        (
            "response",
            "[{rateLimit: {limit: 1, period: 1s}}]",
            "response[0].rateLimit",
            "cannot be used in the response phase",
        ),
        (
            "request",
            "[{transformStatusCode: {}}]",
            "request[0].transformStatusCode",
            "cannot be used in the request phase",
        ),
        ("request", "[{name: mine}]", "request[0]", "found none (step `mine`)"),
        (
            "request",
            "[{rateLimit: {limit: 1, period: 1s}, custom: {name: x}}]",
            "request[0]",
            "found `custom` and `rateLimit`",
        ),
        (
            "request",
            "[{rateLimit: {limit: 1, period: soon}}]",
            "request[0].rateLimit.period",
            "expected a duration",
        ),
        (
            "request",
            "[{rateLimit: {limt: 1, limit: 1, period: 1s}}]",
            "request[0].rateLimit.limt",
            "did you mean `limit`?",
        ),
    ],
)
def test_a_wrong_step_is_explained(phase: str, steps: str, field: str, message: str) -> None:
    found = problems(with_steps(phase, steps))

    assert list(found) == [f"spec.flows[0].{field}"]
    assert message in found[f"spec.flows[0].{field}"]


@pytest.mark.parametrize(
    ("security", "field", "message"),
    [
        (
            "{}",
            "spec.security",
            "exactly one of `keyless`, `apiKey`, `jwt`, `oauth2`, `mtls` is needed, found none",
        ),
        ("{keyless: {}, apiKey: {}}", "spec.security", "found `keyless` and `apiKey`"),
        ("{jwt: {key: {}}}", "spec.security.jwt.key", "exactly one of `publicKey`, `secretRef`, `jwks`"),
        (
            "{jwt: {key: {secretRef: {name: a, key: b}}}}",
            "spec.security.jwt",
            "HS algorithms need key.secretRef",
        ),
        (
            "{jwt: {algorithms: [RS256, HS256], key: {publicKey: x}}}",
            "spec.security.jwt",
            "all others key.publicKey",
        ),
        (
            "{jwt: {algorithms: [none], key: {publicKey: x}}}",
            "spec.security.jwt.algorithms[0]",
            "`none` is not allowed",
        ),
    ],
)
def test_wrong_security_is_explained(security: str, field: str, message: str) -> None:
    found = problems(PLAN.replace("{keyless: {}}", security))

    assert list(found) == [field]
    assert message in found[field]


def test_a_shared_secret_goes_with_hs_algorithms() -> None:
    security = "{jwt: {algorithms: [HS256], key: {secretRef: {name: a, key: b}}}}"

    assert isinstance(parse_text(PLAN.replace("{keyless: {}}", security)), Parsed)


@pytest.mark.parametrize(
    ("times", "field", "message"),
    [
        ("endsAt: 2027-12-31", "spec.endsAt", "expected a time with its zone"),
        ("endsAt: soon", "spec.endsAt", "expected a time such as 2027-12-31T00:00:00Z, found `soon`"),
        (
            "startsAt: 2028-01-01T00:00:00Z\n  endsAt: 2027-01-01T00:00:00Z",
            "spec",
            "startsAt must be before endsAt",
        ),
    ],
)
def test_wrong_times_are_explained(times: str, field: str, message: str) -> None:
    text = f"""\
apiVersion: penstock.dev/v1alpha1
kind: Subscription
metadata: {{name: mobile}}
spec:
  planRef: {{name: gold}}
  application: {{name: mobile}}
  {times}
"""
    found = problems(text)

    assert list(found) == [field]
    assert message in found[field]


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        (
            "{apiVersion: penstock.dev/v1alpha1, kind: Pln}",
            "kind",
            "unknown kind `Pln`, did you mean `Plan`?",
        ),
        ("{apiVersion: penstock.dev/v1, kind: Plan}", "apiVersion", "use `penstock.dev/v1alpha1`"),
        ("{apiVersion: penstock.dev/v1alpha1}", "kind", "`kind` is needed"),
        ("{kind: Plan}", "apiVersion", "`apiVersion` is needed"),
        ("{apiVersion: [], kind: Plan}", "apiVersion", "`apiVersion` is needed"),
    ],
)
def test_an_unknown_kind_of_the_group_is_an_error(text: str, field: str, message: str) -> None:
    found = problems(text)

    assert list(found) == [field]
    assert message in found[field]


def test_kinds_of_others_are_ignored() -> None:
    found = parse_text("{apiVersion: apps/v1, kind: Deployment, metadata: {name: x}, spec: 5}")

    assert isinstance(found, Ignored)
    assert (found.api_version, found.kind) == ("apps/v1", "Deployment")


def test_a_secret_has_values_that_are_never_shown() -> None:
    encoded = base64.b64encode(b"s3cret").decode()
    parsed = parse_text(
        f"{{apiVersion: v1, kind: Secret, metadata: {{name: keys, namespace: shop}}, type: Opaque,"
        f" data: {{a: {encoded}, b: {encoded}}}, stringData: {{b: plain-s3cret}}}}"
    )

    assert isinstance(parsed, Parsed)
    assert isinstance(parsed.resource, SecretResource)
    assert (parsed.resource.key, parsed.resource.values) == (
        "shop/keys",
        {"a": b"s3cret", "b": b"plain-s3cret"},
    )
    assert "s3cret" not in repr(parsed)
    assert encoded not in repr(parsed)


@pytest.mark.parametrize(
    ("part", "field", "message"),
    [
        ("data: {a: '%%%'}", "data.a", "not base64"),
        ("data: {a: 5}", "data.a", "expected a string"),
        ("stringData: {a: 5}", "stringData.a", "put the value in quotes"),
        ("data: [a]", "data", "expected a mapping"),
    ],
)
def test_a_broken_secret_is_explained_without_its_values(part: str, field: str, message: str) -> None:
    found = parse_text(f"{{apiVersion: v1, kind: Secret, metadata: {{name: keys}}, {part}}}")

    assert isinstance(found, tuple)
    assert [problem.field for problem in found] == [field]
    assert message in found[0].message
    assert "%%%" not in found[0].message


def test_an_error_of_a_file_is_a_problem() -> None:
    problem = problem_of(ManifestError("a.yaml", 3, "a.b", "the key `b` is there twice"))

    assert str(problem) == "a.yaml:3: error: a.b: the key `b` is there twice"


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["name", "spec", "metadata", "flows", "request", "http", "listeners", "security", "jwt"]
            )
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
)


@given(
    st.sampled_from(
        ["ApiDefinition", "Plan", "Subscription", "GatewayDeployment", "GatewaySecret", "Secret"]
    ),
    st.dictionaries(st.sampled_from(["spec", "metadata", "data", "stringData", "status"]), ANY),
)
def test_no_data_raises(kind: str, data: dict[str, object]) -> None:
    version = "v1" if kind == "Secret" else "penstock.dev/v1alpha1"

    found = parse(Manifest("a.yaml", 0, 1, {"apiVersion": version, "kind": kind, **data}))

    assert isinstance(found, Parsed) or found
