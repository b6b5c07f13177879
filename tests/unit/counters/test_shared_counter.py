"""The counter of a process group: exact with real processes, and alive when one is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway_runtime.counters.shared import SharedCounter

ROOT = Path(__file__).parents[3]

HITS = """
import sys
from gateway_runtime.counters.shared import SharedCounter
counter = SharedCounter(int(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
print(sum(counter.hit(b"orders", 1000, 3600.0)[0] for _ in range(5000)))
"""

FOREVER = """
import sys
from gateway_runtime.counters.shared import SharedCounter
counter = SharedCounter(int(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for number in range(1000):
    counter.hit(b"orders", 10**9, 3600.0)
print("counting", flush=True)
number = 0
while True:
    number += 1
    counter.hit(b"orders", 10**9, 3600.0)
    counter.hit(b"%d" % number, 10, 0.001)
"""

STUCK = """
import sys, threading
from gateway_runtime.counters.shared import SharedCounter
def clock():
    print("inside", flush=True)
    threading.Event().wait()
SharedCounter(int(sys.argv[1]), clock=clock).hit(b"orders", 10, 3600.0)
"""


@pytest.fixture
def counter() -> Iterator[SharedCounter]:
    counter = SharedCounter.create(1024)
    yield counter
    os.close(counter.descriptor)


def start(script: str, counter: SharedCounter) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", script, str(counter.descriptor)],
        pass_fds=[counter.descriptor],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate(timeout=10)


class Clock:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def timed(counter: SharedCounter) -> tuple[SharedCounter, Clock]:
    clock = Clock()
    return SharedCounter(counter.descriptor, clock=clock), clock


def test_four_processes_together_are_allowed_exactly_the_limit(counter: SharedCounter) -> None:
    processes = [start(HITS, counter) for _ in range(4)]
    assert [said(process) for process in processes] == ["ready"] * 4
    for process in processes:
        go(process)
    assert sum(int(process.communicate(timeout=30)[0]) for process in processes) == 1000


def test_a_worker_killed_while_it_counts_leaves_the_others_exact(counter: SharedCounter) -> None:
    victim = start(FOREVER, counter)
    assert said(victim) == "ready"
    go(victim)
    assert said(victim) == "counting"
    kill(victim)
    _, left, _ = counter.hit(b"orders", 10**9, 3600.0)
    assert 10**9 - left > 1000
    used = 10**9 - left
    survivors = [start(HITS.replace("1000,", f"{used + 700},"), counter) for _ in range(2)]
    assert [said(process) for process in survivors] == ["ready"] * 2
    for process in survivors:
        go(process)
    assert sum(int(process.communicate(timeout=30)[0]) for process in survivors) == 700


def test_a_worker_killed_inside_the_lock_blocks_nobody(counter: SharedCounter) -> None:
    victim = start(STUCK, counter)
    assert said(victim) == "inside"
    waiting = start(HITS, counter)
    assert said(waiting) == "ready"
    go(waiting)
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(timeout=0.2)
    kill(victim)
    assert waiting.communicate(timeout=10)[0].strip() == "1000"


def test_a_window_opens_with_the_first_use_and_tells_what_is_left(counter: SharedCounter) -> None:
    shared, clock = timed(counter)
    assert shared.hit(b"a", 2, 10.0) == (True, 1, 10.0)
    clock.now += 4.0
    assert shared.hit(b"a", 2, 10.0) == (True, 0, 6.0)
    assert shared.hit(b"a", 2, 10.0) == (False, 0, 6.0)
    clock.now += 6.0
    assert shared.hit(b"a", 2, 10.0) == (True, 1, 10.0)


def test_a_refused_use_is_not_counted(counter: SharedCounter) -> None:
    shared, _ = timed(counter)
    shared.hit(b"a", 1, 10.0)
    for _ in range(5):
        assert not shared.hit(b"a", 1, 10.0)[0]
    assert shared.hit(b"a", 3, 10.0) == (True, 1, 10.0)


def test_a_limit_of_nothing_opens_no_window(counter: SharedCounter) -> None:
    shared, _ = timed(counter)
    assert shared.hit(b"a", 0, 10.0) == (False, 0, 10.0)
    assert shared.hit(b"a", 1, 10.0) == (True, 0, 10.0)


def test_a_shorter_period_frees_a_client_of_the_old_long_window(counter: SharedCounter) -> None:
    shared, _ = timed(counter)
    shared.hit(b"a", 1, 86400.0)
    assert shared.hit(b"a", 1, 60.0) == (True, 0, 60.0)


def test_many_keys_are_counted_apart() -> None:
    # The salt is random: in a table of 1,024 some key would find all its slots taken in one run of 23.
    shared, _ = timed(SharedCounter.create(1 << 14))
    for _ in range(3):
        for number in range(300):
            shared.hit(b"%d" % number, 10, 100.0)
    assert {shared.hit(b"%d" % number, 10, 100.0)[1] for number in range(300)} == {6}
    os.close(shared.descriptor)


def test_in_a_full_table_the_window_that_ends_first_gives_way() -> None:
    # One slot to start from, so that every key has the same eight.
    shared, clock = timed(SharedCounter.create(1))
    for number in range(8):
        shared.hit(b"%d" % number, 10, 100.0 + number)
    shared.hit(b"new", 10, 500.0)
    assert shared.hit(b"new", 10, 500.0)[1] == 8
    assert [shared.hit(b"%d" % number, 10, 100.0 + number)[1] for number in range(1, 8)] == [8] * 7
    assert shared.hit(b"0", 10, 100.0)[1] == 9
    os.close(shared.descriptor)
    assert clock.now == 1000.0


def test_an_ended_window_gives_way_before_an_open_one() -> None:
    shared, clock = timed(SharedCounter.create(1))
    for number in range(8):
        shared.hit(b"%d" % number, 10, 1.0 if number == 5 else 100.0)
    clock.now += 2.0
    shared.hit(b"new", 10, 100.0)
    others = [number for number in range(8) if number != 5]
    assert [shared.hit(b"%d" % number, 10, 100.0)[1] for number in others] == [8] * 7
    os.close(shared.descriptor)


def test_nobody_can_shrink_the_table_under_a_reader(counter: SharedCounter) -> None:
    with pytest.raises(PermissionError):
        os.ftruncate(counter.descriptor, 0)
