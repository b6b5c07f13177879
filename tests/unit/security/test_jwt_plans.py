"""JWT plans: which tokens let in, whom they stand for, and the attacks of RFC 8725."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from security_tokens import SECRET, claims, encoded, hand_made, pem, private_key, token
from security_world import NOW, World, exchange, refused

from gateway_runtime.exchange import Exchange, Reply
from gateway_runtime.security.authenticator import AdmissionFunction
from gateway_runtime.snapshot.types import JwtSecurity, Plan, SecretRef, Subscription

ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
    "ES256", "ES384", "ES512", "HS256", "HS384", "HS512", "EdDSA",
)  # fmt: skip
MOBILE = Subscription(name="mobile", plan="token", application="mobile", client_id="mobile-app")


@pytest.fixture
def world() -> World:
    return World({"hs": SECRET})


def plan(algorithm: str = "RS256", **more: Any) -> Plan:
    if algorithm.startswith("HS"):
        more.setdefault("secret", SecretRef(uri="hs"))
    else:
        more.setdefault("public_key", pem(private_key(algorithm)))
    return Plan(name="token", security=JwtSecurity(**{"algorithms": (algorithm,), **more}))


def admits(world: World, plan: Plan, *subscriptions: Subscription) -> AdmissionFunction:
    return world.admission(plan, subscriptions=subscriptions or (MOBILE,))


def bearing(text: str) -> Exchange:
    return exchange(("Authorization", f"Bearer {text}"))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_good_token_lets_in_whoever_it_names(world: World, algorithm: str) -> None:
    request = bearing(token(algorithm))
    assert admits(world, plan(algorithm))(request) is None
    assert request.plan == "token"
    assert request.claims == claims()
    assert request.subscription is not None
    assert request.subscription.application.client_id == "mobile-app"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_changed_token_is_refused(world: World, algorithm: str) -> None:
    head, _, signature = token(algorithm).split(".")
    payload = token(algorithm, sub="admin").split(".")[1]
    assert (
        refused(admits(world, plan(algorithm))(bearing(f"{head}.{payload}.{signature}")))
        == "JWT_INVALID_TOKEN"
    )


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("cut", [1, 2, 8])
def test_a_truncated_signature_is_refused(world: World, algorithm: str, cut: int) -> None:
    assert refused(admits(world, plan(algorithm))(bearing(token(algorithm)[:-cut]))) == "JWT_INVALID_TOKEN"


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_token_of_another_key_is_refused(world: World, algorithm: str) -> None:
    forged = token(algorithm, key=private_key(algorithm, 1))
    assert refused(admits(world, plan(algorithm))(bearing(forged))) == "JWT_INVALID_TOKEN"


@pytest.mark.parametrize("none", ["none", "None", "NONE", "nOnE", ""])
@pytest.mark.parametrize("signature", ["", "AA"])
def test_an_unsigned_token_is_refused(world: World, none: str, signature: str) -> None:
    unsigned = hand_made({"alg": none}, claims(), b"").rpartition(".")[0] + "." + signature
    assert refused(admits(world, plan())(bearing(unsigned))) == "JWT_INVALID_TOKEN"


def test_an_unsigned_token_is_refused_even_where_the_plan_lists_none(world: World) -> None:
    with pytest.raises(ValueError, match="none does not work"):
        world.admission(plan(algorithms=("RS256", "none")))


@pytest.mark.parametrize("algorithms", [("RS256",), ("RS256", "HS256")])
def test_a_public_key_is_never_taken_for_a_shared_secret(world: World, algorithms: tuple[str, ...]) -> None:
    public = pem(private_key("RS256"))
    forged = hand_made({"alg": "HS256"}, claims(), public.encode())
    if "HS256" in algorithms:
        with pytest.raises(ValueError, match="HS256 does not work"):
            world.admission(plan(algorithms=algorithms))
    else:
        assert refused(admits(world, plan())(bearing(forged))) == "JWT_INVALID_TOKEN"


@pytest.mark.parametrize("used", ["RS512", "PS256"])
def test_another_algorithm_of_the_same_key_is_refused(world: World, used: str) -> None:
    forged = token(used, key=private_key("RS256"))
    assert refused(admits(world, plan())(bearing(forged))) == "JWT_INVALID_TOKEN"


@pytest.mark.parametrize(
    "key",
    [
        lambda: private_key("ES256"),
        lambda: ec.generate_private_key(ec.SECP256K1()),
        lambda: rsa.generate_private_key(65537, 1024),
    ],
    ids=["wrong type", "unknown curve", "too short"],
)
def test_a_plan_whose_key_does_not_serve_its_algorithm_is_an_error(
    world: World, key: Callable[[], Any]
) -> None:
    with pytest.raises(ValueError, match="key"):
        world.admission(plan(public_key=pem(key())))


def test_a_shared_secret_shorter_than_its_hash_is_an_error() -> None:
    with pytest.raises(ValueError, match="HS384 does not work"):
        World({"hs": "s" * 47}).admission(plan("HS384"))


def test_a_key_on_another_curve_is_an_error(world: World) -> None:
    with pytest.raises(ValueError, match="ES256 does not work"):
        world.admission(plan("ES256", public_key=pem(private_key("ES384"))))


def test_a_secret_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError, match="hs"):
        World().admission(plan("HS256"))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "HS256", "crit": ["exp"], "exp": 1},
        {"alg": "HS256", "crit": []},
        {"alg": "HS256", "b64": False},
        {"alg": "HS256", "kid": 1},
        {"alg": "HS256", "typ": "logout+jwt"},
        {"alg": "HS256", "typ": "application/dpop+jwt"},
        {"alg": "HS256", "typ": None},
        {"alg": ["HS256"]},
        {},
        b'{"alg":"none","alg":"HS256"}',
        b'{"alg":"HS256","alg":"HS256"}',
        b'["HS256"]',
        b"{",
        '{"alg":"HS256"}'.encode("utf-16"),
        b'{"alg":"HS256","x":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"alg":"HS256","x":NaN}',
    ],
)
def test_a_header_that_is_not_understood_in_full_is_refused(
    world: World, header: bytes | dict[str, Any]
) -> None:
    made = hand_made(header, claims(), SECRET.encode())
    assert refused(admits(world, plan("HS256"))(bearing(made))) == "JWT_INVALID_TOKEN"


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "application/at+jwt"])
def test_the_types_of_access_tokens_are_taken(world: World, kind: str) -> None:
    made = hand_made({"alg": "HS256", "typ": kind}, claims(), SECRET.encode())
    assert admits(world, plan("HS256"))(bearing(made)) is None


@pytest.mark.parametrize(
    "payload",
    [
        b'{"exp":1900000000,"azp":"other","azp":"mobile-app"}',
        b'{"exp":1900000000,"azp":"mobile-app","a":{"b":1,"b":2}}',
        b'{"exp":NaN,"azp":"mobile-app"}',
        b'{"exp":Infinity,"azp":"mobile-app"}',
        b'{"exp":1e999,"azp":"mobile-app"}',
        b'{"exp":' + b"9" * 5000 + b',"azp":"mobile-app"}',
        b'"text"',
        b"[" * 5000 + b"]" * 5000,
        b"\xff",
    ],
)
def test_claims_that_two_readers_could_read_in_two_ways_are_refused(world: World, payload: bytes) -> None:
    made = hand_made({"alg": "HS256"}, payload, SECRET.encode())
    assert refused(admits(world, plan("HS256"))(bearing(made))) == "JWT_INVALID_TOKEN"


@pytest.mark.parametrize(
    "more",
    [
        {"exp": None},
        {"exp": NOW - 31},
        {"exp": NOW - 30},
        {"exp": str(int(NOW) + 60)},
        {"exp": True},
        {"nbf": NOW + 31},
        {"nbf": "0"},
        {"nbf": [0]},
        {"iat": NOW + 31},
        {"iat": False},
    ],
)
def test_a_token_outside_its_time_is_refused(world: World, more: dict[str, Any]) -> None:
    made = hand_made({"alg": "HS256"}, claims(**more), SECRET.encode())
    assert refused(admits(world, plan("HS256"))(bearing(made))) == "JWT_INVALID_TOKEN"


@pytest.mark.parametrize(
    "more", [{"exp": NOW - 29}, {"nbf": NOW + 30}, {"iat": NOW + 30}, {"exp": NOW + 0.5}]
)
def test_the_clocks_may_differ_by_the_skew(world: World, more: dict[str, Any]) -> None:
    made = hand_made({"alg": "HS256"}, claims(**more), SECRET.encode())
    assert admits(world, plan("HS256"))(bearing(made)) is None


@pytest.mark.parametrize(
    "issuer", [None, "https://idp.example.com/", "https://IDP.example.com", 1, ["https://idp.example.com"]]
)
def test_the_issuer_must_be_the_plans_to_the_letter(world: World, issuer: object) -> None:
    admit = admits(world, plan("HS256", issuer="https://idp.example.com"))
    forged = hand_made({"alg": "HS256"}, claims(iss=issuer), SECRET.encode())
    assert admit(bearing(token("HS256", iss="https://idp.example.com"))) is None
    assert refused(admit(bearing(forged))) == "JWT_INVALID_TOKEN"


@pytest.mark.parametrize(
    ("audience", "good"),
    [
        ("orders", True),
        (["x", "stock"], True),
        (None, False),
        ("order", False),
        ([], False),
        ([["orders"]], False),
        ({"orders": 1}, False),
    ],
)
def test_one_of_the_audiences_must_be_the_plans(world: World, audience: object, good: bool) -> None:
    admit = admits(world, plan("HS256", audiences=("orders", "stock")))
    outcome = admit(bearing(hand_made({"alg": "HS256"}, claims(aud=audience), SECRET.encode())))
    assert (outcome is None) == good


@pytest.mark.parametrize("size", [16384, 16385, 40000])
def test_a_huge_token_is_refused_unread(world: World, size: int) -> None:
    made = token("HS256", pad="x" * 20000)
    head, payload, signature = made.split(".")
    assert refused(admits(world, plan("HS256"))(bearing(made))) == "JWT_INVALID_TOKEN"
    assert refused(admits(world, plan("HS256"))(bearing("x" * size))) == "JWT_INVALID_TOKEN"
    assert len(head) + len(payload) + len(signature) > 16384


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text + "=",
        lambda text: text.replace(".", "..", 1),
        lambda text: text + ".x",
        lambda text: text.rpartition(".")[0],
        lambda text: "." + text,
        lambda text: text.replace(".", ". ", 1),
        lambda text: text + "!",
        lambda text: "e30." + text.partition(".")[2],
    ],
)
def test_only_the_exact_compact_form_is_a_token(world: World, spoil: Callable[[str], str]) -> None:
    assert refused(admits(world, plan("HS256"))(bearing(spoil(token("HS256"))))) == "JWT_INVALID_TOKEN"


def test_an_invalid_token_gets_the_challenge_of_rfc_6750(world: World) -> None:
    reply = admits(world, plan())(bearing("x.y.z"))
    assert isinstance(reply, Reply)
    assert (reply.status, reply.headers) == (401, [("www-authenticate", 'Bearer error="invalid_token"')])


@pytest.mark.parametrize("client", [None, 1, ["mobile-app"], "web-app", {"azp": "mobile-app"}])
def test_a_client_without_a_subscription_is_refused(world: World, client: object) -> None:
    made = hand_made({"alg": "HS256"}, claims(azp=client), SECRET.encode())
    assert refused(admits(world, plan("HS256"))(bearing(made))) == "SUBSCRIPTION_MISSING"


def test_a_plan_may_do_without_subscriptions(world: World) -> None:
    admit = admits(world, plan("HS256", require_subscription=False))
    stranger, known = bearing(token("HS256", azp="web-app")), bearing(token("HS256"))
    assert admit(stranger) is None
    assert stranger.subscription is None
    assert admit(known) is None
    assert known.subscription is not None


def test_the_claim_of_the_client_is_found_by_its_whole_name(world: World) -> None:
    admit = admits(world, plan("HS256", client_id_claim="https://example.com/client.id"))
    assert admit(bearing(token("HS256", azp=None, **{"https://example.com/client.id": "mobile-app"}))) is None
    nested = token("HS256", azp=None, **{"https://example.com/client": {"id": "mobile-app"}})
    assert refused(admit(bearing(nested))) == "SUBSCRIPTION_MISSING"


def test_a_subscription_of_another_plan_does_not_count(world: World) -> None:
    other = Subscription(name="mobile", plan="gold", application="mobile", client_id="mobile-app")
    assert refused(admits(world, plan("HS256"), other)(bearing(token("HS256")))) == "SUBSCRIPTION_MISSING"


def test_a_renewed_subscription_lets_in_after_the_first_has_ended(world: World) -> None:
    first = Subscription(name="first", plan="token", application="m", client_id="mobile-app", ends_at=NOW)
    second = Subscription(name="second", plan="token", application="m", client_id="mobile-app")
    for order in ((first, second), (second, first)):
        request = bearing(token("HS256"))
        assert admits(world, plan("HS256"), *order)(request) is None
        assert request.subscription is not None
        assert request.subscription.name == "second"


def test_the_backend_gets_the_token_unless_the_plan_hides_it(world: World) -> None:
    kept, hidden = bearing(token("HS256")), bearing(token("HS256"))
    assert admits(world, plan("HS256"))(kept) is None
    assert "authorization" in kept.request.headers
    assert admits(world, plan("HS256", propagate=False))(hidden) is None
    assert "authorization" not in hidden.request.headers


def test_a_remembered_token_ends_when_it_ends(world: World) -> None:
    admit, text = admits(world, plan()), token()
    assert admit(bearing(text)) is None
    assert admit(bearing(text)) is None
    world.time = NOW + 60 + 30
    assert refused(admit(bearing(text))) == "JWT_INVALID_TOKEN"


def test_a_remembered_token_does_not_outlive_its_subscription(world: World) -> None:
    short = Subscription(name="m", plan="token", application="m", client_id="mobile-app", ends_at=NOW + 5)
    admit, text = admits(world, plan(), short), token()
    assert admit(bearing(text)) is None
    world.time = NOW + 5
    assert refused(admit(bearing(text))) == "SUBSCRIPTION_EXPIRED"


def test_a_refused_token_is_not_remembered_as_good(world: World) -> None:
    admit, early = admits(world, plan("HS256")), token("HS256", nbf=int(NOW) + 100)
    assert refused(admit(bearing(early))) == "JWT_INVALID_TOKEN"
    assert refused(admit(bearing(early))) == "JWT_INVALID_TOKEN"


def test_a_token_that_shares_all_but_its_signature_with_a_remembered_one_is_refused(world: World) -> None:
    admit, text = admits(world, plan()), token()
    assert admit(bearing(text)) is None
    forged = text.rpartition(".")[0] + "." + encoded(b"x" * 256).decode()
    assert refused(admit(bearing(forged))) == "JWT_INVALID_TOKEN"
