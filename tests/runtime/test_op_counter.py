"""Counts of operations, storages and live bytes, against counts by hand."""

from __future__ import annotations

import torch

from equipoise.runtime.op_counter import OpCounter

FLOATS = 4  # bytes


def test_views_and_changes_in_place_take_nothing() -> None:
    x = torch.ones(100)
    with OpCounter() as count:
        x.add_(1)
        x[10:].view(9, 10).t()
        x.mul_(x)
    assert (count.storages, count.bytes, count.live) == (0, 0, 0)
    assert count.operations["aten.add_"] == 1
    assert count.operations["aten.mul_"] == 1


def test_freed_memory_is_counted_even_after_the_context() -> None:
    with OpCounter() as count:
        a = torch.zeros(100)
        b = a + 1
        view = b[:1]
        del a
    assert (count.storages, count.bytes, count.live) == (2, 200 * FLOATS, 100 * FLOATS)
    assert max(count.trace) == 200 * FLOATS
    del b
    assert count.live == 100 * FLOATS  # the view holds it all
    del view
    assert count.live == 0


def test_backward_passes_are_counted_and_release_what_they_saved() -> None:
    w = torch.ones(10, 10, requires_grad=True)
    with OpCounter() as count:
        loss = (w * 2).square().sum()
        torch.autograd.backward(loss)
        del loss
    assert (
        count.operations["aten.mul"] >= 3
    )  # forward, and the slopes of the square and of the product
    assert count.live == 100 * FLOATS  # the gradient


def test_reading_a_value_and_shapes_that_depend_on_values_are_waits() -> None:
    x = torch.arange(4.0)
    with OpCounter() as count:
        float(x.sum())
        x[x > 1].sum()
        bool((x > 1).any())
        x.sum()
    assert count.waits == 3


def test_a_counting_that_is_entered_again_goes_on() -> None:
    count = OpCounter()
    for _ in range(2):
        with count:
            torch.zeros(1)
    assert count.storages == 2
    assert len(count.trace) == 2
