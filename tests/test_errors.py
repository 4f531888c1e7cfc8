"""Notes to the user are EquipoiseWarnings, facts for whoever debugs go to logging."""

from __future__ import annotations

import ast
import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import equipoise
from equipoise import GAN
from equipoise.errors import EquipoiseWarning, warn

PACKAGE = Path(equipoise.__file__).parent


def test_a_note_is_an_equipoise_warning_which_a_filter_silences_or_turns_into_an_error() -> None:
    with pytest.warns(EquipoiseWarning, match="^a note$"):
        warn("a note")
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("ignore", EquipoiseWarning)
        warn("a note")
    assert shown == []
    with warnings.catch_warnings():
        warnings.simplefilter("error", EquipoiseWarning)
        with pytest.raises(EquipoiseWarning, match="a note"):
            warn("a note")


def test_a_trainings_note_passes_through_the_users_filters(tiny: dict[str, Any]) -> None:
    x = np.random.default_rng(0).normal(size=(200, 2))
    labels = ["a", "b"] * 100
    with pytest.warns(
        EquipoiseWarning, match="the labels are not used: infogan does not take labels"
    ):
        GAN("infogan", **tiny).fit(x, labels)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", EquipoiseWarning)
        GAN("infogan", **tiny).fit(x, labels)


def test_no_module_warns_by_itself() -> None:
    """`errors.warn` gives the category and the caller's line."""
    found = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and ast.unparse(node.func) in ("warnings.warn", "warnings.warn_explicit")
            ):
                found.append(path.relative_to(PACKAGE).as_posix())
    assert found == ["errors.py"]


def test_facts_for_debugging_go_to_the_logger_and_to_no_screen(
    tiny: dict[str, Any], caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG, logger="equipoise"):
        GAN(**tiny).trainer("gaussian", to_disk=False)
    assert {record.levelname for record in caplog.records} == {"DEBUG"}
    assert all(record.name.split(".")[0] == "equipoise" for record in caplog.records)
    text = caplog.text
    assert "bytes of memory; " in text
    assert "1 thread(s), float32" in text
    assert capsys.readouterr() == ("", "")
