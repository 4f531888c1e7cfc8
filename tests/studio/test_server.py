"""The server: it listens where it should, and a wrong address is one line."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from equipoise.errors import RequestError
from equipoise.studio.server import DEFAULT_PORT, listen

Command = Callable[..., Any]


def test_a_port_that_is_taken_is_named_and_the_default_goes_on_to_the_next() -> None:
    with listen("127.0.0.1", None) as one, listen("127.0.0.1", None) as two:
        ports = [taken.getsockname()[1] for taken in (one, two)]
        assert DEFAULT_PORT <= ports[0] < ports[1]
        with pytest.raises(RequestError, match=f"port {ports[0]}: .*--port 0"):
            listen("127.0.0.1", ports[0])


def test_an_address_that_is_not_this_machines_is_one_line() -> None:
    with pytest.raises(RequestError, match=r"192\.0\.2\.1, port 0"):
        listen("192.0.2.1", 0)


def test_ipv6_loopback_can_be_listened_at() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    with listen("::1", 0) as listener:
        assert listener.family == socket.AF_INET6


def test_wrong_options_are_all_named_at_once(command: Command) -> None:
    answer = command("studio", "--port", "70000", "--token", "short", "--max-upload", "0")
    assert answer.status == 2
    assert all(name in answer.err for name in ("--port 70000", "--token", "--max-upload 0"))


def test_a_run_that_is_none_is_refused_before_anything_is_served(
    command: Command, tmp_path: Path
) -> None:
    answer = command("studio", str(tmp_path))
    assert answer.status == 2
    assert (answer.out, answer.err.count("\n")) == ("", 1)
