"""One Kafka API as a worker serves it: its program, its cluster, and what its clients are offered."""

from __future__ import annotations

from gateway_runtime.connections.kafka_broker import Login, Way
from gateway_runtime.connections.kafka_cluster import Cluster
from gateway_runtime.connections.kafka_login import login_of
from gateway_runtime.connections.kafka_tls import client_context
from gateway_runtime.exchange import ApiInfo
from gateway_runtime.kafka import telemetry
from gateway_runtime.kafka.table import offered as is_covered
from gateway_runtime.kafka.topic_ids import TopicIds
from gateway_runtime.kafka.versions import Versions, offered
from gateway_runtime.program.compile import ApiCompiler, Surroundings, told_without_values
from gateway_runtime.program.kafka import KafkaProgram, bootstrap_addresses
from gateway_runtime.security.kafka import KafkaAdmission
from gateway_runtime.snapshot.kafka import KafkaApi, KafkaCluster
from gateway_runtime.snapshot.references import secret_uris
from gateway_runtime.snapshot.types import ApiSection, GatewaySection, SubscriptionsSection


class KafkaApiServer:
    """An API that is served. `cluster` and `topic_ids` outlive changes of the API that are not about them."""

    def __init__(
        self,
        program: KafkaProgram,
        section: ApiSection,
        gateway: GatewaySection,
        before: KafkaApiServer | None,
    ) -> None:
        self.program = program
        self.login: Login | None
        self.cluster: Cluster
        self.topic_ids: TopicIds
        self._made_of = (section, gateway.flows, gateway.kafka_listeners, program.cluster)
        if before is not None and before.program.cluster == program.cluster:
            self.cluster, self.topic_ids, self.login = before.cluster, before.topic_ids, before.login
        else:
            self.login = login_of(program.cluster)
            self.cluster = Cluster(
                program.cluster.name, bootstrap_addresses(program.cluster), _way(program.cluster, self.login)
            )
            self.topic_ids = TopicIds()
        self._offered: tuple[Versions, Versions] = ({}, {})

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return self.program.key

    @property
    def kafka(self) -> KafkaApi:
        """What is particular to Kafka."""
        return self.program.kafka

    @property
    def info(self) -> ApiInfo:
        """What expressions know of the API."""
        return self.program.info

    @property
    def admission(self) -> KafkaAdmission:
        """Who is let in."""
        return self.program.admission

    def is_alike(self, other: KafkaApiServer) -> bool:
        """Whether connections need not come anew: nothing but subscriptions differs."""
        return self._made_of == other._made_of

    def offered(self) -> Versions:
        """What clients may use, by what the cluster knows; made anew where that has changed."""
        known = self.cluster.versions
        if self._offered[0] is not known:
            found = offered(known, is_covered)
            own = {} if self.kafka.client_telemetry else telemetry.OFFERED
            self._offered = (known, {**found, **own})
        return self._offered[1]


def _way(cluster: KafkaCluster, login: Login | None) -> Way:
    tls = cluster.tls
    context = None if tls is None else client_context(tls)
    name = None if tls is None else tls.server_name
    return Way(context, name, login, cluster.connect_timeout, cluster.response_timeout)


def serve_api(
    section: ApiSection,
    gateway: GatewaySection,
    subscriptions: SubscriptionsSection | None,
    surroundings: Surroundings,
    before: KafkaApiServer | None,
) -> KafkaApiServer | str:
    """The API, or what is wrong with it, told without values of secrets."""
    try:
        return _made(section, gateway, subscriptions, surroundings, before)
    except Exception as error:  # whatever is wrong, it stays this API's own trouble
        if not secret_uris(section, gateway):
            return f"{type(error).__name__}: {error}"
        return told_without_values(
            error, surroundings, lambda blanks: _made(section, gateway, subscriptions, blanks, None)
        )


def _made(
    section: ApiSection,
    gateway: GatewaySection,
    subscriptions: SubscriptionsSection | None,
    surroundings: Surroundings,
    before: KafkaApiServer | None,
) -> KafkaApiServer:
    compiler = ApiCompiler(section, gateway, surroundings)
    program = KafkaProgram(compiler, section, gateway, subscriptions)
    return KafkaApiServer(program, section, gateway, before)
