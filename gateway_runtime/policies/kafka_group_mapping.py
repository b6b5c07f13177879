"""kafkaGroupMapping: groups by other names in the cluster."""

from __future__ import annotations

from gateway_runtime.kafka.access import Resource
from gateway_runtime.policies.kafka_mappings import NameMappings, mapping_policy


class KafkaGroupMapping(NameMappings):
    """Gives groups other names in the cluster than their clients use.

    A client sees nothing of the cluster's names, and nothing that has no name for it. Two names never become
    one: mappings that could give the same name are refused. Access rules go by the clients' names.
    """


POLICY = mapping_policy("kafkaGroupMapping", KafkaGroupMapping, Resource.GROUP)
