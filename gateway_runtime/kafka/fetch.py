"""Fetch and ShareFetch: what a client may not read never enters its broker's session, yet is answered for.

A fetch session (KIP-227) is state: a poll lists only what changes. So the partitions that are withheld are
kept by session, reported in each response until the client forgets them, as a broker does; topic ids that
were not known are looked at anew with each poll.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Final

from gateway_runtime.kafka.access import Operation, Resource
from gateway_runtime.kafka.call import Call, Message
from gateway_runtime.kafka.error_codes import MESSAGES, TOPIC_AUTHORIZATION_FAILED, UNKNOWN_TOPIC_ID
from gateway_runtime.kafka.fetch_sessions import Partitions, PartitionSessions, Withheld
from gateway_runtime.kafka.handler import Handler, Need, metadata_of_ids
from gateway_runtime.kafka.parts import ID
from gateway_runtime.kafka.view import View

_BY_ID: Final = 13
_FULL: Final = 0


@dataclass(slots=True)
class _Poll:
    """What a response must be completed with."""

    session: Hashable
    epoch: int
    withheld: Partitions


class _Withholding(Handler):
    """What both kinds of fetches share."""

    index = "PartitionIndex"
    """The field of a request's partition that has its number."""

    def lookup(self, view: View, call: Call) -> Message | None:
        """Ask for the names of topic ids, of those too that an earlier poll could not name."""
        if not view.watches_topics or not self.is_by_id(call):
            return None
        sessions, session, _ = self.session(view, call)
        wanted = {topic[ID] for topic in call.message["Topics"]}
        for one in (sessions.get(session) or {}).values():
            if one.code == UNKNOWN_TOPIC_ID:
                wanted.add(one.topic[ID])
        return metadata_of_ids({topic_id for topic_id in wanted if view.ids.is_to_ask(topic_id)})

    def withhold(self, view: View, call: Call) -> None:
        """Take what may not be read out of a poll, and out of what the session has."""
        sessions, session, epoch = self.session(view, call)
        if epoch <= _FULL:
            sessions.drop(session)
        withheld = sessions.get(session) or {}
        if call.message.get("ForgottenTopicsData"):
            self._forget(view, call, withheld)
        denied = self._denied(view, call)
        if not denied and not withheld:
            return
        self._retry(view, call, withheld)
        for topic, code in denied:
            for partition in topic["Partitions"]:
                withheld[self._key(topic), partition[self.index]] = Withheld(topic, partition, code)
        if epoch > _FULL:
            sessions.keep(session, withheld)
        call.notes = _Poll(session, epoch, withheld)

    def report(self, view: View, call: Call, response: Message) -> None:
        """Answer for all that is withheld from the session."""
        poll = call.notes
        if poll is None or response.get("ErrorCode"):
            return
        self.keep(view, poll, response)
        answers: dict[str | bytes, Message] = {}
        for (key, _), one in poll.withheld.items():
            name = {field: one.topic[field] for field in ("Topic", ID) if field in one.topic}
            answer = answers.setdefault(key, name | {"Partitions": []})
            answer["Partitions"].append(self.refusal(one))
        response["Responses"] = [*response["Responses"], *answers.values()]
        call.response_edited = True

    def is_by_id(self, _call: Call) -> bool:
        """Whether topics are given by their ids."""
        return True

    def session(self, view: View, call: Call) -> tuple[PartitionSessions, Hashable, int]:
        """The sessions of this kind, the one of a call, and its epoch."""
        raise NotImplementedError

    def keep(self, view: View, poll: _Poll, response: Message) -> None:
        """Remember what is withheld, once it is known which session the broker began or ended."""

    def refusal(self, one: Withheld) -> Message:
        """What a response says of a partition that is withheld."""
        raise NotImplementedError

    def check(self, view: View, topic: Message) -> int:
        """The error code of a topic; 0 where it may be read."""
        return view.id_error(topic[ID], Operation.READ)

    def _denied(self, view: View, call: Call) -> list[tuple[Message, int]]:
        kept, denied = [], []
        for topic in call.message["Topics"]:
            code = self.check(view, topic)
            if code:
                denied.append((topic, code))
            else:
                kept.append(topic)
        if denied:
            call.message["Topics"] = kept
            call.edited = True
        return denied

    def _forget(self, view: View, call: Call, withheld: Partitions) -> None:
        """What the client takes out of its session; the broker does not have what is denied in it."""
        kept = []
        for topic in call.message["ForgottenTopicsData"]:
            key = self._key(topic)
            for index in topic["Partitions"]:
                withheld.pop((key, index), None)
            if self.check(view, topic):
                call.edited = True
            else:
                kept.append(topic)
        call.message["ForgottenTopicsData"] = kept

    def _retry(self, view: View, call: Call, withheld: Partitions) -> None:
        """Let in what could not be named before and now can be."""
        for key, one in list(withheld.items()):
            if one.code != UNKNOWN_TOPIC_ID:
                continue
            one.code = self.check(view, one.topic)
            if not one.code:
                del withheld[key]
                topics = [*call.message["Topics"], {**one.topic, "Partitions": [one.partition]}]
                call.message["Topics"] = topics
                call.edited = True

    def _key(self, topic: Message) -> str | bytes:
        key: str | bytes = topic[ID] if ID in topic else topic["Topic"]
        return key


class Fetch(_Withholding):
    """Fetch, with sessions that the broker numbers."""

    index = "Partition"

    def admit(self, view: View, call: Call) -> Message | None:
        """Withhold what may not be read; a look at one dict where nothing is."""
        if call.version >= _BY_ID and not view.watches_topics:
            return None
        if _replica(call.message) >= 0 and not view.allows_cluster(Operation.CLUSTER_ACTION):
            return _refuse_follower(call)
        self.withhold(view, call)
        return None

    def to_cluster(self, view: View, call: Call) -> None:
        """Map the topics."""
        names = view.maps.get(Resource.TOPIC)
        if names is None or call.version >= _BY_ID:
            return
        message, forward = call.message, names.to_cluster
        for topic in message["Topics"]:
            topic["Topic"] = forward(topic["Topic"])
        for topic in message.get("ForgottenTopicsData", ()):
            topic["Topic"] = forward(topic["Topic"])
        call.edited = True

    def to_client(self, view: View, call: Call, response: Message) -> None:
        """Map the topics back, or note names beside ids: what looks at records goes by names."""
        if call.version >= _BY_ID:
            if view.watches_topics:
                for topic in response["Responses"]:
                    topic["Topic"] = view.name_of(topic[ID]) or ""
            return
        names = view.maps.get(Resource.TOPIC)
        if names is not None:
            backward = names.to_client
            for topic in response["Responses"]:
                topic["Topic"] = backward(topic["Topic"]) or ""
            call.response_edited = True

    def finish(self, view: View, call: Call, response: Message) -> None:
        """Answer for what is withheld."""
        if call.notes is not None:
            self.report(view, call, response)

    def is_by_id(self, call: Call) -> bool:
        """From version 13 on."""
        return call.version >= _BY_ID

    def check(self, view: View, topic: Message) -> int:
        """The error code of a topic."""
        if ID in topic:
            return view.id_error(topic[ID], Operation.READ)
        return view.error(Resource.TOPIC, topic["Topic"], Operation.READ)

    def session(self, view: View, call: Call) -> tuple[PartitionSessions, Hashable, int]:
        """Sessions by the broker's numbers; 0 is none."""
        message = call.message
        return view.fetches, message.get("SessionId", 0), message.get("SessionEpoch", -1)

    def keep(self, view: View, poll: _Poll, response: Message) -> None:
        """A full fetch may begin a session, whose number the response tells; 0: there is none, or no more."""
        session = response.get("SessionId", 0)
        if poll.epoch > _FULL and not session:
            view.fetches.drop(poll.session)
        elif poll.epoch == _FULL and session:
            view.fetches.keep(session, poll.withheld)

    def refusal(self, one: Withheld) -> Message:
        """As brokers write it."""
        index = one.partition[self.index]
        return {"PartitionIndex": index, "ErrorCode": one.code, "HighWatermark": -1, "Records": b""}


class ShareFetch(_Withholding):
    """ShareFetch, with sessions by group and member, whose epoch is 0 as they begin."""

    need: Final = Need(Resource.GROUP, Operation.READ, "GroupId")

    def admit(self, view: View, call: Call) -> Message | None:
        """Check the group, then withhold what may not be read."""
        code = self.need.error(view, call.message)
        if code:
            return self.refuse(call, code)
        if view.watches_topics:
            self.withhold(view, call)
        return None

    def to_client(self, view: View, _call: Call, response: Message) -> None:
        """Note the client's names beside the ids."""
        if view.watches_topics:
            for topic in response["Responses"]:
                topic["Topic"] = view.name_of(topic[ID]) or ""

    def finish(self, view: View, call: Call, response: Message) -> None:
        """Answer for what is withheld."""
        self.report(view, call, response)

    def session(self, view: View, call: Call) -> tuple[PartitionSessions, Hashable, int]:
        """Sessions by group and member; a new one replaces the one before."""
        message = call.message
        return view.shares, (message["GroupId"], message["MemberId"]), message["ShareSessionEpoch"]

    def keep(self, view: View, poll: _Poll, response: Message) -> None:
        """A first poll begins the session."""
        if poll.epoch == _FULL:
            view.shares.keep(poll.session, poll.withheld)

    def refusal(self, one: Withheld) -> Message:
        """What was to be acknowledged is refused as well."""
        code = one.code if one.partition.get("AcknowledgementBatches") else 0
        return {
            "PartitionIndex": one.partition[self.index],
            "ErrorCode": one.code,
            "ErrorMessage": MESSAGES[one.code],
            "AcknowledgeErrorCode": code,
            "Records": b"",
        }


def _replica(message: Message) -> int:
    """The broker that a fetch says to be of; -1 for a consumer's."""
    state: Any = message.get("ReplicaState") or message
    return int(state.get("ReplicaId", -1))


def _refuse_follower(call: Call) -> Message:
    """What brokers answer to one who is none of them."""
    partitions = [
        {
            **{field: topic[field] for field in ("Topic", ID) if field in topic},
            "Partitions": [
                {
                    "PartitionIndex": partition["Partition"],
                    "ErrorCode": TOPIC_AUTHORIZATION_FAILED,
                    "HighWatermark": -1,
                    "Records": b"",
                }
                for partition in topic["Partitions"]
            ],
        }
        for topic in call.message["Topics"]
    ]
    return {"Responses": partitions}
