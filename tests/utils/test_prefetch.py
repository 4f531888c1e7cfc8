from __future__ import annotations

import threading

import pytest

from equipoise.utils.prefetch import ahead


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("ahead")]


@pytest.mark.parametrize(("depth", "threads"), [(0, 1), (2, 1), (5, 3), (50, 2)])
def test_results_come_in_order_with_what_they_are_of(depth: int, threads: int) -> None:
    assert list(ahead(lambda x: x * x, range(20), depth, threads)) == [
        (x, x * x) for x in range(20)
    ]


def test_no_more_than_the_depth_is_begun_before_it_is_asked_for() -> None:
    begun: list[int] = []
    made = ahead(begun.append, range(100), 2)
    for asked in range(1, 10):
        next(made)
        assert len(begun) <= asked + 2
    made.close()


def test_an_error_is_raised_where_its_result_would_have_come() -> None:
    made = ahead(lambda x: 1 // (3 - x), range(9), 4)
    assert [next(made)[0] for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ZeroDivisionError):
        next(made)


@pytest.mark.parametrize("end", ["closed", "forgotten", "used up"])
def test_the_threads_end_with_the_iteration(end: str) -> None:
    before = set(workers())
    made = ahead(abs, range(6), 2, 2)
    next(made)
    own = [thread for thread in workers() if thread not in before]
    assert own
    if end == "closed":
        made.close()
    elif end == "used up":
        list(made)
    del made
    for thread in own:
        thread.join(600)
    assert not any(thread.is_alive() for thread in own)
