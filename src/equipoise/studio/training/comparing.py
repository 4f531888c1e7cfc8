"""Several runs side by side: metrics, curves, and the settings that differ."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from equipoise.errors import EquipoiseError, RequestError
from equipoise.runs.serialization import read_json
from equipoise.studio.training import progress
from equipoise.studio.training.runs import Runs

MOST = 8  # runs
SHOWN_VALUE = 60  # characters of a setting


def compare(runs: Runs, names: Sequence[str]) -> dict[str, Any]:
    """What a page shows of several runs, as they are now.

    Raises:
        RequestError: For fewer than 2 names, more than `MOST`, or a run that there is
            not.
    """
    names = list(dict.fromkeys(names))
    if not 2 <= len(names) <= MOST:
        raise RequestError(f"compare from 2 to {MOST} runs: {len(names)} were named")
    from equipoise.report.comparison import rows
    from equipoise.report.report import Report

    paths = [runs.path(name) for name in names]
    reports, listed = {}, []
    for name, path in zip(names, paths, strict=True):
        found = progress.phase_of(path, runs.jobs)
        with suppress(EquipoiseError, OSError):  # it is not measured yet
            reports[name] = Report.read(path / "report.json")
        report = reports.get(name)
        listed.append(
            {
                "name": name,
                "phase": found["phase"],
                "status": found["status"],
                "curves": progress.read_curves(path),
                "verdict": None if report is None else report.verdict.name,
                "sentence": None if report is None else report.verdict.sentence,
                "pictures": progress.pictures(path),
                "has_generator": (path / "generator.safetensors").is_file(),
            }
        )
    table = [
        {
            "label": row.label,
            "meaning": row.meaning,
            "sign": row.sign,
            "better": row.better_words,
            "cells": dict(zip(reports, row.cells, strict=True)),
            "baseline": row.baseline,
        }
        for row in rows(list(reports.values()))
    ]
    answer: dict[str, Any] = progress.finite(
        {"runs": listed, "metrics": table, "settings": _differences(names, runs)}
    )
    return answer


def _differences(names: Sequence[str], runs: Runs) -> list[dict[str, Any]]:
    """The settings that are not the same in all runs, with their values."""
    settings = []
    for name in names:
        try:
            stored = read_json(runs.path(name) / "config.json")
        except (EquipoiseError, OSError):
            stored = {}
        recipe, run = (progress.part_of(stored, part) for part in ("recipe", "run"))
        data = progress.part_of(stored, "data")
        settings.append({"data": data.get("name"), **recipe, **run})
    found = []
    for key in dict.fromkeys(key for one in settings for key in one):
        values = [str(one.get(key, ""))[:SHOWN_VALUE] for one in settings]
        if len(set(values)) > 1:
            found.append({"name": key.replace("_", " "), "values": values})
    return found
