"""What the operator knows is set aside from the collector as it grows, not at each round."""

import gc
from collections.abc import Iterator

import pytest

from penstock_operator.cluster.heap import Heap


@pytest.fixture(autouse=True)
def _thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def _frozen(heap: Heap, known: int) -> int:
    gc.unfreeze()
    heap.settle(known)
    return gc.get_freeze_count()


def test_few_objects_are_left_to_the_collector() -> None:
    assert _frozen(Heap(), 100) == 0


def test_many_objects_are_set_aside_once() -> None:
    heap = Heap()
    assert _frozen(heap, 1000) > 0
    assert _frozen(heap, 1100) == 0


def test_they_are_set_aside_again_after_growth() -> None:
    heap = Heap()
    heap.settle(1000)
    assert _frozen(heap, 1400) > 0
