"""Requests to the cluster as a whole, whose refusals are told for each thing they name."""

from __future__ import annotations

from typing import Final

from gateway_runtime.kafka.access import Operation, Resource
from gateway_runtime.kafka.call import Call, Message
from gateway_runtime.kafka.error_codes import INVALID_REQUEST, MESSAGES
from gateway_runtime.kafka.handler import Handler, Need, Row
from gateway_runtime.kafka.view import View

_ALTER: Final = (Need(Resource.CLUSTER, Operation.ALTER),)


class AlterReplicaLogDirs(Row):
    """Needs Alter."""

    def refuse(self, call: Call, code: int) -> Message:
        """The same for every partition."""
        topics = (topic for directory in call.message["Dirs"] for topic in directory["Topics"])
        return {
            "Results": [
                {
                    "TopicName": topic["Name"],
                    "Partitions": [{"PartitionIndex": one, "ErrorCode": code} for one in topic["Partitions"]],
                }
                for topic in topics
            ]
        }


class ElectLeaders(Row):
    """Needs Alter. For all partitions of the cluster (null) it would reach beyond the mapped names."""

    def admit(self, view: View, call: Call) -> Message | None:
        """Refuse what is not allowed, or reaches too far."""
        if Resource.TOPIC in view.maps and call.message["TopicPartitions"] is None:
            return super().admit(view, call) or self.refuse(call, INVALID_REQUEST)
        return super().admit(view, call)

    def refuse(self, call: Call, code: int) -> Message:
        """The same for every partition."""
        refusal = {"ErrorCode": code, "ErrorMessage": MESSAGES[code]}
        results = [
            {
                "Topic": topic["Topic"],
                "PartitionResult": [{"PartitionId": one, **refusal} for one in topic["Partitions"]],
            }
            for topic in call.message["TopicPartitions"] or ()
        ]
        return {"ErrorCode": code, "ReplicaElectionResults": results}


class AlterPartitionReassignments(Row):
    """Needs Alter."""

    def refuse(self, call: Call, code: int) -> Message:
        """The same for every partition."""
        refusal = {"ErrorCode": code, "ErrorMessage": MESSAGES[code]}
        responses = [
            {
                "Name": topic["Name"],
                "Partitions": [
                    {"PartitionIndex": one["PartitionIndex"], **refusal} for one in topic["Partitions"]
                ],
            }
            for topic in call.message["Topics"]
        ]
        return {**refusal, "Responses": responses}


class AlterClientQuotas(Row):
    """Needs AlterConfigs."""

    def refuse(self, call: Call, code: int) -> Message:
        """The same for every entry."""
        refusal = {"ErrorCode": code, "ErrorMessage": MESSAGES[code]}
        return {"Entries": [{**refusal, "Entity": one["Entity"]} for one in call.message["Entries"]]}


class DescribeCluster(Handler):
    """Needs nothing; tells what may be done."""

    def finish(self, view: View, call: Call, response: Message) -> None:
        """Leave the operations that the rules allow."""
        if view.authorizers:
            told = response["ClusterAuthorizedOperations"]
            response["ClusterAuthorizedOperations"] = view.operations(Resource.CLUSTER, "", told)
            call.response_edited = True


ALTER_REPLICA_LOG_DIRS: Final = AlterReplicaLogDirs(needs=_ALTER)
ELECT_LEADERS: Final = ElectLeaders(needs=_ALTER)
ALTER_PARTITION_REASSIGNMENTS: Final = AlterPartitionReassignments(needs=_ALTER)
ALTER_CLIENT_QUOTAS: Final = AlterClientQuotas(needs=(Need(Resource.CLUSTER, Operation.ALTER_CONFIGS),))
