"""How sharing the machine is measured: processes of their own, that end."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from typing import Any

import pytest

from benchmarks import contention


def test_busy_processes_run_for_the_while_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def start(*arguments: Any, **named: Any) -> subprocess.Popen[bytes]:
        started.append(popen(*arguments, **named))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", start)
    with suppress(KeyError), contention.busy(2):
        assert [process.poll() for process in started] == [None, None]
        raise KeyError
    assert None not in [process.poll() for process in started]


def test_a_table_has_a_row_for_each_network_and_way_to_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(contention, "rates", lambda _, threads, *__: [float(threads)])
    rows = contention.table([0], quick=True)
    assert rows[0] == ["networks", "threads", "waiting", "idle"]
    assert len(rows) == 1 + len(contention.NETWORKS) * len(contention.POLICIES)
    assert rows[1] == ["60 images of 16 x 16", "1", "", "1.0 (1.0 to 1.0)"]
