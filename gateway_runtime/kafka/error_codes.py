"""The error codes of Kafka's protocol that a gateway answers with itself."""

from __future__ import annotations

from typing import Final

NONE: Final = 0
UNKNOWN_TOPIC_OR_PARTITION: Final = 3
INVALID_TOPIC_EXCEPTION: Final = 17
INVALID_GROUP_ID: Final = 24
TOPIC_AUTHORIZATION_FAILED: Final = 29
GROUP_AUTHORIZATION_FAILED: Final = 30
CLUSTER_AUTHORIZATION_FAILED: Final = 31
INVALID_REQUEST: Final = 42
POLICY_VIOLATION: Final = 44
TRANSACTIONAL_ID_AUTHORIZATION_FAILED: Final = 53
OPERATION_NOT_ATTEMPTED: Final = 55
UNKNOWN_TOPIC_ID: Final = 100
INVALID_REGULAR_EXPRESSION: Final = 128

MESSAGES: Final = {
    UNKNOWN_TOPIC_OR_PARTITION: "This server does not host this topic-partition.",
    INVALID_TOPIC_EXCEPTION: "The gateway's mapping gives the topic no legal name in the cluster.",
    INVALID_GROUP_ID: "The gateway's mapping gives the group no name in the cluster.",
    TOPIC_AUTHORIZATION_FAILED: "Not authorized to access topics.",
    GROUP_AUTHORIZATION_FAILED: "Not authorized to access group.",
    CLUSTER_AUTHORIZATION_FAILED: "Cluster authorization failed.",
    INVALID_REQUEST: "The gateway's mapping cannot express this in the cluster's names.",
    POLICY_VIOLATION: "The gateway's topic policy refuses this.",
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "Not authorized to access the transactional id.",
    OPERATION_NOT_ATTEMPTED: "The operation was not attempted since another part of it failed.",
    UNKNOWN_TOPIC_ID: "This server does not host this topic ID.",
    INVALID_REGULAR_EXPRESSION: "The regular expression is not valid.",
}
"""What an answer says where it has room for it."""
