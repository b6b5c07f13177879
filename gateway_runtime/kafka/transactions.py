"""Producer ids and transactions."""

from __future__ import annotations

from typing import Final

from gateway_runtime.kafka.access import Operation, Resource
from gateway_runtime.kafka.call import Call, Message
from gateway_runtime.kafka.error_codes import (
    INVALID_REGULAR_EXPRESSION,
    MESSAGES,
    NONE,
    OPERATION_NOT_ATTEMPTED,
)
from gateway_runtime.kafka.handler import Handler, Need, Row
from gateway_runtime.kafka.parts import Parts
from gateway_runtime.kafka.regexes import RegexError, compiled, matching
from gateway_runtime.kafka.view import DENIED, View

WRITE_TRANSACTION: Final = Need(Resource.TRANSACTIONAL_ID, Operation.WRITE, "TransactionalId")
_TWO_PHASES: Final = Need(Resource.TRANSACTIONAL_ID, Operation.TWO_PHASE_COMMIT, "TransactionalId")
_CLUSTER_ACTION: Final = Need(Resource.CLUSTER, Operation.CLUSTER_ACTION)
_FOR_BROKERS: Final = 4
"""The first version of AddPartitionsToTxn that brokers alone send."""

_TOPICS: Final = Parts(
    Resource.TOPIC,
    Operation.WRITE,
    "V3AndBelowTopics",
    "Name",
    "ResultsByTopicV3AndBelow",
    "Name",
    inner="Partitions",
    index=None,
    to_inner="ResultsByPartition",
    error="PartitionErrorCode",
)
_OLD: Final = Row(
    needs=(Need(Resource.TRANSACTIONAL_ID, Operation.WRITE, "V3AndBelowTransactionalId"),),
    parts=_TOPICS,
    refuses_parts=True,
)


class InitProducerId(Handler):
    """Needs a transactional id; without one, some topic that may be written to is enough (KIP-679)."""

    def admit(self, view: View, call: Call) -> Message | None:
        """Refuse where the client may not produce so."""
        code = self._error(view, call.message)
        return self.refuse(call, code) if code else None

    def refuse(self, _call: Call, code: int) -> Message:
        """A response without a producer id."""
        return {"ErrorCode": code, "ProducerId": -1, "ProducerEpoch": -1}

    def _error(self, view: View, message: Message) -> int:
        if message["TransactionalId"] is not None:
            both = (WRITE_TRANSACTION, _TWO_PHASES) if message.get("Enable2Pc") else (WRITE_TRANSACTION,)
            return next((code for need in both if (code := need.error(view, message))), NONE)
        if view.allows_cluster(Operation.IDEMPOTENT_WRITE):
            return NONE
        may_write = all(one.allows_any(Resource.TOPIC, Operation.WRITE) for one in view.authorizers)
        return NONE if may_write else DENIED[Resource.CLUSTER]


class AddPartitionsToTxn(Handler):
    """All partitions or none: with a denied one the others are not attempted."""

    def admit(self, view: View, call: Call) -> Message | None:
        """Check the transaction and its topics; what brokers send needs ClusterAction."""
        if call.version >= _FOR_BROKERS:
            code = _CLUSTER_ACTION.error(view, call.message)
            return self.refuse(call, code) if code else super().admit(view, call)
        refusal = _OLD.admit(view, call)
        if refusal is not None or not call.denied:
            return refusal
        others = [(topic, OPERATION_NOT_ATTEMPTED) for topic in call.message[_TOPICS.at]]
        response: Message = {}
        _TOPICS.merge(response, [*call.denied, *others])
        return response


class DescribeTransactions(Row):
    """Transactions by their ids, with those of their topics that may be described."""

    def finish(self, view: View, call: Call, response: Message) -> None:
        """Filter the topics, and answer for what was taken out."""
        if view.authorizers:
            for state in response["TransactionStates"]:
                state["Topics"] = [
                    topic
                    for topic in state["Topics"]
                    if view.allows(Resource.TOPIC, topic["Topic"], Operation.DESCRIBE)
                ]
            call.response_edited = True
        super().finish(view, call, response)


class ListTransactions(Handler):
    """Those that may be described; a pattern over mapped ids is matched here."""

    def admit(self, view: View, call: Call) -> Message | None:
        """Keep the pattern from the cluster, whose ids are others."""
        pattern = call.message.get("TransactionalIdPattern")
        if not pattern or Resource.TRANSACTIONAL_ID not in view.maps:
            return None
        try:
            compiled(pattern)
        except RegexError:
            return {
                "ErrorCode": INVALID_REGULAR_EXPRESSION,
                "ErrorMessage": MESSAGES[INVALID_REGULAR_EXPRESSION],
            }
        call.message["TransactionalIdPattern"] = None
        call.notes, call.edited = pattern, True
        return None

    def finish(self, view: View, call: Call, response: Message) -> None:
        """Filter the list."""
        states = response["TransactionStates"]
        if call.notes is not None:
            wanted = set(matching(call.notes, [state["TransactionalId"] for state in states]))
            states = [state for state in states if state["TransactionalId"] in wanted]
        if view.authorizers:
            states = [state for state in states if _may_describe(view, state["TransactionalId"])]
        call.response_edited = call.response_edited or len(states) < len(response["TransactionStates"])
        response["TransactionStates"] = states


def _may_describe(view: View, transactional_id: str) -> bool:
    return view.allows(Resource.TRANSACTIONAL_ID, transactional_id, Operation.DESCRIBE)
