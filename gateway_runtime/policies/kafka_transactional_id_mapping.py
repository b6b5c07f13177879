"""kafkaTransactionalIdMapping: transactional ids by other names in the cluster."""

from __future__ import annotations

from gateway_runtime.kafka.access import Resource
from gateway_runtime.policies.kafka_mappings import NameMappings, mapping_policy


class KafkaTransactionalIdMapping(NameMappings):
    """Gives transactional ids other names in the cluster than their clients use.

    A client sees nothing of the cluster's names, and nothing that has no name for it. Two names never become
    one: mappings that could give the same name are refused. Access rules go by the clients' names.
    """


POLICY = mapping_policy("kafkaTransactionalIdMapping", KafkaTransactionalIdMapping, Resource.TRANSACTIONAL_ID)
