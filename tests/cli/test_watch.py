"""`train --watch`: the page is there while the training is, and ends with it."""

from __future__ import annotations

import importlib.util
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]


def test_without_the_extra_nothing_begins(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "equipoise.cli.watch.find_spec", lambda name: None if name == "uvicorn" else found(name)
    )
    answer = command("train", "gaussian", "--watch", "--out", str(tmp_path / "run"))
    assert answer.status == 2
    assert "pip install 'equipoise[studio]'" in answer.err
    assert not (tmp_path / "run").exists()


def wait_until_gone(address: str) -> None:
    """Return once nothing listens at an address any more."""
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except (urllib.error.URLError, ConnectionError):
            return


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_the_page_is_served_while_the_run_trains_and_goes_with_it(
    ending: signal.Signals, tmp_path: Path
) -> None:
    command = "-m equipoise train gaussian --minutes 30 --compile off --watch --out"
    training = subprocess.Popen(
        [sys.executable, *command.split(), str(tmp_path / "run")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert training.stdout is not None
    try:
        for line in training.stdout:
            if told := re.search(r"(http://\S+/)#/run/run", line):
                break
        with urllib.request.urlopen(told[1]) as answer:
            assert b"Equipoise" in answer.read()
        training.send_signal(ending)
        wait_until_gone(told[1])
        training.stdout.read()
        assert training.wait() in (128 + ending, -ending)
    finally:
        training.kill()
        training.wait()
