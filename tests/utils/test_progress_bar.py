from __future__ import annotations

import pytest
from rich.console import Console

from equipoise.utils import progress_bar


def work() -> None:
    with progress_bar.bar("Decoding images", 3) as done:
        for _ in range(3):
            done(1)


def test_nothing_is_shown_where_nobody_looks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress_bar, "DELAY", -1.0)
    work()
    assert capsys.readouterr() == ("", "")


def test_nothing_is_shown_of_what_is_done_at_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Console, "is_terminal", True)
    monkeypatch.setattr(progress_bar.time, "monotonic", lambda: 0.0)
    work()
    assert capsys.readouterr() == ("", "")


def test_what_takes_long_is_shown_on_stderr(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Console, "is_terminal", True)
    monkeypatch.setattr(progress_bar, "DELAY", -1.0)
    work()
    out, err = capsys.readouterr()
    assert out == ""
    assert "Decoding images" in err
