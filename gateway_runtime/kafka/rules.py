"""What the policies of one client's flows add up to: made once, when the client has authenticated."""

from __future__ import annotations

from gateway_runtime.kafka.access import Authorizer, Resource
from gateway_runtime.kafka.names import NameMap
from gateway_runtime.kafka.quota import Quota
from gateway_runtime.kafka.topic_policy import TopicPolicy


class Rules:
    """The rules of one session; the steps of `interact` add to them in their order.

    There is one mapping of a kind at most; access, quotas and topic policies add up: all must agree.
    """

    __slots__ = (
        "authorizers",
        "maps",
        "needs_topic_names",
        "quotas",
        "topic_policies",
    )

    def __init__(self) -> None:
        self.maps: dict[Resource, NameMap] = {}
        self.authorizers: list[Authorizer] = []
        self.quotas: list[Quota] = []
        self.topic_policies: list[TopicPolicy] = []
        self.needs_topic_names: bool = False
        """Whether steps for records want to know the topics that are named by id alone."""
