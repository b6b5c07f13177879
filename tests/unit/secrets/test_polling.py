"""Dialogues of a document that has to be asked for, told by a clock of our own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from gateway_runtime.secrets.document import Document
from gateway_runtime.secrets.hidden import SecretBytes
from gateway_runtime.secrets.polling import Lease, Pace, Poller, Resolved
from gateway_runtime.secrets.provider import ProviderError

Answer = Resolved | Exception


class ManualClock:
    """Time that goes on when the test says so."""

    def __init__(self) -> None:
        self._now = 0.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        event = asyncio.Event()
        self._sleepers.append((self._now + seconds, event))
        await event.wait()

    async def advance(self, seconds: float) -> None:
        end = self._now + seconds
        await settle()
        while due := [one for one in self._sleepers if one[0] <= end and not one[1].is_set()]:
            first = min(due, key=lambda one: one[0])
            self._sleepers.remove(first)
            self._now = max(self._now, first[0])
            first[1].set()
            await settle()
        self._now = end


async def settle() -> None:
    """Let all that can run do so."""
    for _ in range(20):
        await asyncio.sleep(0)


class Backend:
    """Answers in turn, the last one again and again; notes when it was asked."""

    def __init__(self, clock: ManualClock, *answers: Answer) -> None:
        self.clock = clock
        self.answers = list(answers)
        self.reads: list[float] = []
        self.renewals: list[float] = []
        self.grants: list[float] = []

    async def resolve(self, path: str) -> Resolved:
        self.reads.append(self.clock.now())
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def renew(self, lease: Lease) -> Lease:
        self.renewals.append(self.clock.now())
        if not self.grants:
            raise ProviderError("lease not found")
        return Lease(self.grants.pop(0), lease.id)


@asynccontextmanager
async def followed(backend: Backend, pace: Pace) -> AsyncIterator[tuple[Document, Poller]]:
    document = Document("kv/a of main", lambda: None, backend.clock.now)
    poller = Poller(backend.resolve, backend.renew, backend.clock)
    task = asyncio.ensure_future(poller.follow("kv/a", pace, document))
    await settle()
    try:
        yield document, poller
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def found(value: str, lease: Lease | None = None) -> Resolved:
    return Resolved({"key": SecretBytes(value.encode())}, lease)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def backend(clock: ManualClock) -> Callable[..., Backend]:
    return lambda *answers: Backend(clock, *answers)


async def test_a_value_is_read_anew_before_it_gets_older_than_it_may(clock, backend) -> None:
    asked = backend(found("one"), found("two"))
    async with followed(asked, Pace(100.0)) as (document, _):
        assert document.value("key") == SecretBytes(b"one")
        await clock.advance(79.0)
        assert len(asked.reads) == 1
        await clock.advance(21.0)
        assert document.value("key") == SecretBytes(b"two")
        assert document.age() <= 20.0


async def test_failures_are_tried_again_in_growing_pauses_up_to_half_a_minute(clock, backend) -> None:
    asked = backend(ProviderError("away"))
    async with followed(asked, Pace(300.0)) as (document, _):
        await clock.advance(400.0)
        pauses = [later - sooner for sooner, later in zip(asked.reads, asked.reads[1:], strict=False)]
        assert 0.4 <= pauses[0] <= 0.5
        assert all(24.0 <= pause <= 30.0 for pause in pauses[6:])
        assert len(set(pauses[6:])) > 1, "all pods would come at once"
        assert document.problem("key") == "kv/a of main: away"


async def test_a_changed_credential_ends_the_pause(clock, backend) -> None:
    asked = backend(*[ProviderError("refused")] * 8, found("one"))
    async with followed(asked, Pace(300.0)) as (document, poller):
        await clock.advance(40.0)
        while len(asked.answers) > 1:
            poller.retry()
            await settle()
        poller.retry()
        await settle()
        assert document.value("key") == SecretBytes(b"one")


async def test_the_last_good_value_stays_until_its_greatest_age(clock, backend) -> None:
    asked = backend(found("one"), ProviderError("away"))
    async with followed(asked, Pace(10.0, max_age=60.0)) as (document, _):
        await clock.advance(59.9)
        assert document.value("key") == SecretBytes(b"one")
        assert 59.0 < document.age() < 60.0
        await clock.advance(0.2)
        assert document.value("key") is None
        asked.answers[:] = [found("two")]
        await clock.advance(31.0)
        assert document.value("key") == SecretBytes(b"two")


async def test_without_a_greatest_age_it_stays_for_ever(clock, backend) -> None:
    async with followed(backend(found("one"), ProviderError("away")), Pace(10.0)) as (document, _):
        await clock.advance(1_000_000.0)
        assert document.value("key") == SecretBytes(b"one")


async def test_a_lease_is_renewed_and_its_value_not_read_anew(clock, backend) -> None:
    asked = backend(found("one", Lease(60.0, "id")), found("two"))
    asked.grants = [60.0, 60.0, 20.0]
    async with followed(asked, Pace(5.0)) as (document, _):
        await clock.advance(90.0)  # whatever the jitter: two renewals are past, the third is to come
        assert len(asked.reads) == 1
        assert len(asked.renewals) == 2
        await clock.advance(50.0)
        assert document.value("key") == SecretBytes(b"two"), "a lease that comes to its end is replaced"


async def test_a_lease_that_is_gone_is_replaced_at_once(clock, backend) -> None:
    asked = backend(found("one", Lease(60.0, "id")), found("two"))
    async with followed(asked, Pace(300.0)) as (document, _):
        await clock.advance(40.0)
        assert asked.renewals == asked.reads[1:]
        assert document.value("key") == SecretBytes(b"two")


async def test_a_time_that_binds_but_cannot_be_renewed_shortens_the_refresh(clock, backend) -> None:
    asked = backend(found("one", Lease(30.0)), found("two"))
    async with followed(asked, Pace(300.0)) as (document, _):
        await clock.advance(20.0)
        assert document.value("key") == SecretBytes(b"two")
        assert asked.renewals == []


async def test_a_defect_of_a_provider_is_told_without_what_it_held(clock, backend, caplog) -> None:
    async with followed(backend(ValueError("canary-4f1b")), Pace(300.0)) as (document, _):
        assert document.problem("key") == "kv/a of main: reading it failed: ValueError"
        assert "canary" not in caplog.text
