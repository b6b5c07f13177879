"""Produce: topics checked and mapped with one look into a dict each, whoever checks and maps."""

from __future__ import annotations

from typing import Final

from gateway_runtime.kafka.access import Operation, Resource
from gateway_runtime.kafka.call import Call, Message
from gateway_runtime.kafka.handler import Handler, Need, ask_for_ids
from gateway_runtime.kafka.parts import ID, Parts
from gateway_runtime.kafka.versions import PRODUCE_BY_ID
from gateway_runtime.kafka.view import View
from gateway_runtime.kafka.walk import change_texts

_TRANSACTION: Final = Need(Resource.TRANSACTIONAL_ID, Operation.WRITE, "TransactionalId")
_TOPICS: Final = Parts(
    Resource.TOPIC,
    Operation.WRITE,
    "TopicData",
    "Name",
    "Responses",
    "Name",
    inner="PartitionData",
    index="Index",
    to_inner="PartitionResponses",
    to_index="Index",
    defaults={"BaseOffset": -1, "LogAppendTimeMs": -1, "LogStartOffset": -1},
)


class Produce(Handler):
    """Without acknowledgements (acks=0) a refusal closes the connection, as it does at a broker."""

    def lookup(self, view: View, call: Call) -> Message | None:
        """Ask for the names of topics that are given by ids."""
        if call.version < PRODUCE_BY_ID or not view.watches_topics:
            return None
        return ask_for_ids(view, call.message["TopicData"])

    def admit(self, view: View, call: Call) -> Message | None:
        """Check the transactional id, then each topic; records may join a transaction here (KIP-890)."""
        message = call.message
        if message["TransactionalId"] is not None and (code := _TRANSACTION.error(view, message)):
            return self._refuse_all(call, code)
        if call.version >= PRODUCE_BY_ID:
            self._name(view, call)
        known = view.verdicts(Resource.TOPIC, Operation.WRITE)
        for topic in message["TopicData"]:
            if known.get(topic.get("Name"), 1):
                return self._take_out(view, call)
        return None

    def to_cluster(self, view: View, call: Call) -> None:
        """Map the topics and the transactional id."""
        names = view.maps.get(Resource.TOPIC)
        if names is not None and call.version < PRODUCE_BY_ID:
            forward = names.to_cluster
            for topic in call.message["TopicData"]:
                topic["Name"] = forward(topic["Name"])
            call.edited = True
        transactional_id = call.message["TransactionalId"]
        if transactional_id is not None and Resource.TRANSACTIONAL_ID in view.maps:
            call.message["TransactionalId"] = view.to_cluster(Resource.TRANSACTIONAL_ID, transactional_id)
            call.edited = True

    def to_client(self, view: View, call: Call, response: Message) -> None:
        """Map the topics back, in what is said of errors too."""
        names = view.maps.get(Resource.TOPIC)
        if names is None:
            return
        is_by_name = call.version < PRODUCE_BY_ID
        call.response_edited = call.response_edited or is_by_name
        for topic in response["Responses"]:
            name = topic["Name"] if is_by_name else view.ids.name(topic[ID]) or ""
            client = names.to_client(name) or ""
            if is_by_name:
                topic["Name"] = client
            for partition in topic["PartitionResponses"]:
                if partition["ErrorCode"]:
                    change_texts(partition, {name: client})
                    call.response_edited = True

    def finish(self, _view: View, call: Call, response: Message) -> None:
        """Answer for the topics that were taken out."""
        _TOPICS.put_in(call, response)

    def _name(self, view: View, call: Call) -> None:
        """Note the client's names beside the ids: what looks at records goes by them."""
        if view.watches_topics:
            for topic in call.message["TopicData"]:
                name = view.name_of(topic[ID])
                if name is not None:
                    topic["Name"] = name

    def _take_out(self, view: View, call: Call) -> Message | None:
        if call.version < PRODUCE_BY_ID or view.watches_topics:
            _TOPICS.take_out(view, call)
        if not call.denied:
            return None
        call.closes = call.message["Acks"] == 0
        if call.message["TopicData"]:
            return None
        response: Message = {}
        _TOPICS.put_in(call, response)
        return response

    def _refuse_all(self, call: Call, code: int) -> Message:
        call.closes = call.message["Acks"] == 0
        return {"Responses": [_TOPICS.answer(topic, code) for topic in call.message["TopicData"]]}
