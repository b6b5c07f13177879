"""kafkaTopicMapping: topics by other names in the cluster."""

from __future__ import annotations

from gateway_runtime.kafka.access import Resource
from gateway_runtime.policies.kafka_mappings import NameMappings, mapping_policy


class KafkaTopicMapping(NameMappings):
    """Gives topics other names in the cluster than their clients use.

    A client sees nothing of the cluster's names, and nothing that has no name for it. Two names never become
    one: mappings that could give the same name are refused. Access rules go by the clients' names.
    The names in the cluster are held to Kafka's rules: 1 to 249 of A-Z, a-z, 0-9, `.`, `_` and `-`.
    """

    of_topics = True


POLICY = mapping_policy("kafkaTopicMapping", KafkaTopicMapping, Resource.TOPIC)
