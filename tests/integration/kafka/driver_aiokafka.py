"""aiokafka as a driver."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.abc import AbstractTokenProvider, ConsumerRebalanceListener
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code
from aiokafka.helpers import create_ssl_context
from kafka_access import PATIENCE, Access, ClientError, GroupProtocol, Member, Placed, Seen

_COPIES = 3  # aiokafka cannot leave it to the cluster


class _Token(AbstractTokenProvider):
    def __init__(self, text: str) -> None:
        self._text = text

    async def token(self) -> str:
        return self._text


class _Listener(ConsumerRebalanceListener):
    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    def on_partitions_revoked(self, revoked: Any) -> None:
        self._seen.assigned([])

    def on_partitions_assigned(self, assigned: Any) -> None:
        self._seen.assigned([one.partition for one in assigned])


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    async def bounded() -> Any:
        async with asyncio.timeout(PATIENCE):
            return await work

    try:
        return asyncio.run(bounded())
    except KafkaError as error:
        raise _named(error) from error


def _named(error: KafkaError) -> ClientError:
    return ClientError(getattr(error, "message", type(error).__name__), str(error))


@asynccontextmanager
async def _running(one: Any) -> AsyncIterator[Any]:
    """A producer or consumer; one that could not start is ended too, which it does not do by itself.

    A consumer that loses its coordinator while it closes looks for no other and commits for ever.
    """
    try:
        await one.start()
        yield one
    finally:
        async with asyncio.timeout(PATIENCE / 2):
            await one.stop()


def _check(code: int) -> None:
    if code:
        raise _named(for_code(code)())


class AioKafka:
    """aiokafka; it knows classic groups only."""

    name = "aiokafka"

    def __init__(self, access: Access) -> None:
        self.access = access

    def produce(self, topic: str, values: Sequence[str], acks: str = "all") -> list[Placed]:
        async def work() -> list[Placed]:
            async with _running(
                AIOKafkaProducer(**self._options(), acks=acks if acks == "all" else int(acks))
            ) as one:
                futures = [await one.send(topic, value.encode()) for value in values]
                found = await asyncio.gather(*futures)
            return [Placed(at.partition, at.offset) if at else Placed(-1, -1) for at in found]

        return _run(work())

    def consume(self, topic: str, count: int, *, committed: bool = False) -> list[str]:
        level = "read_committed" if committed else "read_uncommitted"

        async def work() -> list[str]:
            options = {"auto_offset_reset": "earliest", "isolation_level": level}
            async with _running(AIOKafkaConsumer(topic, **self._options(), **options)) as one:
                return [(await one.getone()).value.decode() for _ in range(count)]

        return _run(work())

    def member(self, topic: str, group: str, protocol: GroupProtocol = "classic") -> Member:
        assert protocol == "classic"

        async def work(seen: Seen, stopped: threading.Event) -> None:
            options = {"group_id": group, "auto_offset_reset": "earliest", "heartbeat_interval_ms": 300}
            async with _running(AIOKafkaConsumer(**self._options(), **options)) as one:
                one.subscribe([topic], listener=_Listener(seen))
                while not stopped.is_set():
                    batches = await one.getmany(timeout_ms=100)
                    seen.received([record.value.decode() for batch in batches.values() for record in batch])

        return Member(lambda seen, stopped: asyncio.run(work(seen, stopped)))

    def transact(self, topic: str, values: Sequence[str], transactional_id: str, *, commit: bool) -> None:
        async def work() -> None:
            async with _running(
                AIOKafkaProducer(**self._options(), transactional_id=transactional_id)
            ) as one:
                await one.begin_transaction()
                for value in values:
                    await one.send_and_wait(topic, value.encode())
                await (one.commit_transaction() if commit else one.abort_transaction())

        _run(work())

    def create_topic(self, topic: str, partitions: int = 1) -> None:
        async def work() -> None:
            async with self._admin() as admin:
                copies = min(_COPIES, len(_nodes(await admin.describe_cluster())))
                answer = await admin.create_topics([NewTopic(topic, partitions, copies)])
                _check(answer.topic_errors[0][1])

        _run(work())

    def delete_topic(self, topic: str) -> None:
        async def work() -> None:
            async with self._admin() as admin:
                _check((await admin.delete_topics([topic])).topic_error_codes[0][1])

        _run(work())

    def topics(self) -> set[str]:
        async def work() -> set[str]:
            async with self._admin() as admin:
                return {name for name in await admin.list_topics() if not name.startswith("__")}

        return _run(work())

    def leaders(self, topic: str) -> dict[int, str]:
        async def work() -> dict[int, str]:
            async with self._admin() as admin:
                nodes = _nodes(await admin.describe_cluster())
                found = (await admin.describe_topics([topic]))[0]
                _check(found["error_code"])
                return {one["partition"]: nodes[one["leader"]] for one in found["partitions"]}

        return _run(work())

    def nodes(self) -> set[str]:
        async def work() -> set[str]:
            async with self._admin() as admin:
                return set(_nodes(await admin.describe_cluster()).values())

        return _run(work())

    def configs(self, topic: str) -> dict[str, str | None]:
        async def work() -> dict[str, str | None]:
            async with self._admin() as admin:
                answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
                (code, _, _, _, entries) = answers[0].resources[0]
                _check(code)
                return {entry[0]: entry[1] for entry in entries}

        return _run(work())

    def alter_config(self, topic: str, name: str, value: str) -> None:
        async def work() -> None:
            async with self._admin() as admin:
                resource = ConfigResource(ConfigResourceType.TOPIC, topic, {name: value})
                answers = await admin.alter_configs([resource])
                _check(answers[0].resources[0][0])

        _run(work())

    def group_state(self, group: str) -> str:
        async def work() -> str:
            async with self._admin() as admin:
                answers = await admin.describe_consumer_groups([group])
                (code, _, state, *_) = answers[0].groups[0]
                _check(code)
                return state.lower()

        return _run(work())

    def groups(self) -> set[str]:
        async def work() -> set[str]:
            async with self._admin() as admin:
                return {name for name, _ in await admin.list_consumer_groups()}

        return _run(work())

    def offsets(self, topic: str, partition: int) -> int:
        """The end of a partition."""

        async def work() -> int:
            place = TopicPartition(topic, partition)
            async with _running(AIOKafkaConsumer(**self._options())) as one:
                return (await one.end_offsets([place]))[place]

        return _run(work())

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(**self._options())
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()

    def _options(self) -> dict[str, Any]:
        access = self.access
        options: dict[str, Any] = {
            "bootstrap_servers": access.bootstrap,
            "security_protocol": access.protocol,
        }
        if access.ca:
            files = (access.identity.certificate, access.identity.key) if access.identity else (None, None)
            options["ssl_context"] = create_ssl_context(
                cafile=str(access.ca), certfile=files[0], keyfile=files[1]
            )
        if access.mechanism:
            options["sasl_mechanism"] = access.mechanism
        if access.mechanism == "OAUTHBEARER":
            options["sasl_oauth_token_provider"] = _Token(access.password)
        elif access.mechanism:
            options |= {"sasl_plain_username": access.username, "sasl_plain_password": access.password}
        return options


def _nodes(cluster: dict[str, Any]) -> dict[int, str]:
    return {one["node_id"]: f"{one['host']}:{one['port']}" for one in cluster["brokers"]}
