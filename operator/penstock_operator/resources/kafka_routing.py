"""The parts of a listener for Kafka of a GatewayDeployment: TLS, and how APIs and brokers are told apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from gateway_runtime.policies.fields import StrictModel
from penstock_operator.manifests.nodes import PathPart
from penstock_operator.resources.meta import NameRef, Rules, SecretKeyRef
from penstock_operator.resources.secret_provider import TLS_CERTIFICATE, TLS_KEY

CLIENT_CA = "ca.crt"
MOST_PORTS = 200
_LAST_PORT = 65535
_HOST_PART = r"([-a-z0-9.]|\{api\}|\{namespace\})"
_HOST = rf"^{_HOST_PART}+$"
# Next to a digit the id would not be told from a name with digits at its end.
_BROKER_HOST = rf"^({_HOST_PART}*[-a-z.])?\{{broker\}}([-a-z.]{_HOST_PART}*)?$"
# Names hold dashes, so that without a dot it could not be told where one ends.
_RUN_TOGETHER = "[{](api|namespace)[}]([^.{]|[{]broker[}])*[{](api|namespace)[}]"
_RANGE = re.compile(r"([0-9]{1,5})-([0-9]{1,5})")


class ListenerTls(StrictModel):
    """TLS towards clients."""

    certificate_refs: Annotated[
        tuple[NameRef, ...],
        Field(
            strict=False,
            min_length=1,
            max_length=64,
            description="Secrets of the type kubernetes.io/tls; the first for the client's name is shown.",
        ),
    ]
    client_ca_ref: Annotated[
        NameRef | None, Field(description="A Secret whose `ca.crt` signs certificates of clients.")
    ] = None

    def secrets(self) -> Iterator[tuple[SecretKeyRef, tuple[PathPart, ...]]]:
        """The keys of Secrets that are read, and the fields below that name them."""
        for index, one in enumerate(self.certificate_refs):
            for key in (TLS_CERTIFICATE, TLS_KEY):
                yield SecretKeyRef(name=one.name, key=key), ("certificateRefs", index)
        if self.client_ca_ref is not None:
            yield SecretKeyRef(name=self.client_ca_ref.name, key=CLIENT_CA), ("clientCaRef",)


class KafkaRouting(StrictModel):
    """How Kafka APIs and their brokers are told apart."""

    rules: ClassVar[Rules] = (
        (
            "self.type == 'Host' ? has(self.bootstrap) && has(self.broker) && !has(self.range) && "
            "!has(self.host) : has(self.range) && has(self.host) && !has(self.bootstrap) && "
            "!has(self.broker)",
            "type: Host needs `bootstrap` and `broker` alone, type: Port `range` and `host`",
        ),
        (
            "!has(self.bootstrap) || !has(self.broker) || [self.bootstrap, self.broker].all(host, "
            "host.split('{api}').size() == 2 && host.split('{namespace}').size() <= 2 && "
            f"!host.matches('{_RUN_TOGETHER}'))",
            "`bootstrap` and `broker` need {api} once, and {namespace} at most once, a dot between them",
        ),
        (
            "!has(self.range) || [self.range.split('-').map(one, int(one))].all(ports, ports[0] >= 1 && "
            f"ports[1] <= {_LAST_PORT} && ports[0] <= ports[1] && ports[1] - ports[0] < {MOST_PORTS})",
            f"`range` is FIRST-LAST: at most {MOST_PORTS} ports, 1 to {_LAST_PORT}",
        ),
    )

    type: Annotated[
        Literal["Host", "Port"], Field(description="Host: by the name in TLS (SNI), at one port.")
    ]
    bootstrap: Annotated[
        str | None,
        Field(
            pattern=_HOST,
            max_length=253,
            description="The host of an API: `{api}` and `{namespace}` stand for its names.",
        ),
    ] = None
    broker: Annotated[
        str | None,
        Field(
            pattern=_BROKER_HOST,
            max_length=253,
            description="The host of a broker: `{broker}` stands for its id, not beside a digit or name.",
        ),
    ] = None
    range_: Annotated[
        str | None,
        Field(
            alias="range",
            pattern=rf"^{_RANGE.pattern}$",
            max_length=11,
            description="FIRST-LAST: ports for APIs and their brokers.",
        ),
    ] = None
    host: Annotated[
        str | None,
        Field(
            pattern=r"^[-a-zA-Z0-9.:]+$",
            max_length=253,
            description="The host that clients are told: the name or address of the gateway.",
        ),
    ] = None

    @property
    def ports(self) -> range:
        """Those of `range`; none without."""
        found = _RANGE.fullmatch(self.range_ or "")
        return range(int(found[1]), int(found[2]) + 1) if found else range(0)

    @model_validator(mode="after")
    def _fields_of_the_type(self) -> KafkaRouting:
        by_host = (self.bootstrap, self.broker)
        given = by_host if self.type == "Host" else (self.range_, self.host)
        all_given = (self.bootstrap, self.broker, self.range_, self.host)
        ports = self.ports
        holds = (
            None not in given and sum(one is not None for one in all_given) == 2,
            all(host is None or _tells_apart(host) for host in by_host),
            self.range_ is None
            or (ports.start >= 1 and 0 < len(ports) <= MOST_PORTS and ports[-1] <= _LAST_PORT),
        )
        for held, (_, message) in zip(holds, self.rules, strict=True):
            if not held:
                raise ValueError(message)
        return self


def _tells_apart(host: str) -> bool:
    """Whether each API's host is its own, and names the API."""
    counts = host.count("{api}") == 1 and host.count("{namespace}") <= 1
    return counts and re.search(_RUN_TOGETHER, host) is None
