"""How a training is doing, as the page shows it: from its files alone, so that it makes
no difference who started it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from equipoise.errors import EquipoiseError, RequestError, first_line
from equipoise.runs.directory import RunDirectory
from equipoise.runs.serialization import read_json
from equipoise.runs.status import RunStatus
from equipoise.studio.training.commands import next_step
from equipoise.studio.training.jobs import Jobs
from equipoise.utils.atomic_io import read_file

Json = dict[str, Any]
MAX_POINTS = 400  # of a curve
MAX_LEFT_OUT, MAX_LEFT_OUT_BYTES = 200, 2**26
EVENTS = ("trouble", "recovered", "diverged", "early_stopped")


def phase_of(run: Path, jobs: Jobs) -> Json:
    """What a run is doing, in one word and what the status says of it.

    Returns:
        "phase": "starting", "training", "measuring", "failed", or a state of
        `RunStatus` where no process is at it; "status": the status, None before there
        is a run; "problem": why it ended, where it says so.
    """
    busy = jobs.is_busy(run)
    if not (run / "config.json").is_file():
        failed = jobs.failure(run.name) or "the training ended before it began"
        return {
            "phase": "starting" if busy else "failed",
            "status": None,
            "problem": "" if busy else failed,
        }
    try:
        status = RunStatus.read(run)
    except EquipoiseError as error:
        return {"phase": "failed", "status": None, "problem": str(error)}
    phase: str = status.state
    if busy:
        phase = "training" if status.state == "running" else _before_or_after(status)
    elif status.state == "running":
        phase = "training"  # on another machine
    said = not busy and status.state in ("interrupted", "diverged")
    problem = jobs.failure(run.name) if said else ""
    return {"phase": phase, "status": finite(asdict(status)), "problem": problem}


def _before_or_after(status: RunStatus) -> str:
    """What a process does that does not hold the lock: it opens the data, or measures
    the samples of what it has trained."""
    return "measuring" if status.state in ("finished", "diverged") else "starting"


def curves(log: Sequence[Mapping[str, Any]]) -> Json:
    """The log as columns of equal length for charts: "reports" and "metrics", each by
    name with "samples_seen"; "baselines"; "labels", what metrics are called; and
    "events", what happened when."""
    reports = [line for line in log if "discriminator_loss" in line]
    evaluated = [
        {"samples_seen": line["samples_seen"], **line["metrics"]}
        for line in log
        if "metrics" in line
    ]
    baselines: Json = next((line["baselines"] for line in reversed(log) if "baselines" in line), {})
    events = [
        {"samples_seen": line["samples_seen"], "kind": kind, "text": str(line[kind])}
        for line in log
        for kind in EVENTS
        if kind in line
    ]
    found = {
        "reports": _columns(_thinned(reports)),
        "metrics": _columns(_thinned(evaluated)),
        "baselines": baselines,
        "labels": _labels(evaluated),
        "events": events,
    }
    answer: Json = finite(found)
    return answer


def _labels(evaluated: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What people call the metrics."""
    keys = dict.fromkeys(key for line in evaluated for key in line if key != "samples_seen")
    if not keys:
        return {}
    from equipoise.metrics.registry import label_of

    return {key: label_of(key) for key in keys}


def read_curves(run: Path) -> Json:
    """`curves` of a run; of none where its log cannot be read."""
    try:
        return curves(RunDirectory(run).read_log())
    except EquipoiseError:
        return curves([])


def pictures(run: Path) -> list[int]:
    """The samples seen at each of the images of samples, in order."""
    found = RunDirectory(run).images.glob("*.png")
    return sorted(int(path.stem) for path in found if path.stem.isdecimal())


def picture_path(run: Path, seen: int) -> Path:
    """The image of samples after so many samples seen.

    Raises:
        RequestError: There is none.
    """
    for path in RunDirectory(run).images.glob("*.png"):
        if path.stem.isdecimal() and int(path.stem) == seen and not path.is_symlink():
            return path
    raise RequestError(f"{run.name} has no image after {seen:,} samples")


def report_of(run: Path) -> Json | None:
    """The report with its metrics in words, and what the page can do next; None without
    one."""
    if not (run / "report.json").is_file():
        return None
    from equipoise.diagnosis import severity
    from equipoise.report.comparison import rows
    from equipoise.report.report import Report

    try:
        report = Report.read(run / "report.json")
    except EquipoiseError as error:
        return {"problem": first_line(error)}
    verdict = report.verdict
    return {
        "samples_seen": report.samples_seen,
        "summary": report.training_summary,
        "verdict": {**asdict(verdict), "severity": severity(verdict)},
        "next": next_step(verdict.command, run) if verdict.command else None,
        "metrics": [
            {
                "label": row.label,
                "meaning": row.meaning,
                "sign": row.sign,
                "better": row.better_words,
                "value": row.cells[0][0],
                "interval": row.cells[0][1],
                "baseline": row.baseline,
            }
            for row in rows([report])
        ],
        "protocol": report.metrics[0].protocol,
    }


def about(run: Path) -> Json:
    """What config.json says of a run: data, settings that were given, notes, and what
    it was started from."""
    stored = read_json(run / "config.json")
    data, asked = part_of(stored, "data"), part_of(stored, "requested")
    return {
        "data": data.get("name"),
        "recipe": part_of(stored, "recipe").get("name"),
        "requested": {**part_of(asked, "recipe"), **part_of(asked, "run")},
        "notes": _texts(stored, "notes"),
        "machine": part_of(stored, "machine"),
        "command": _texts(stored, "command"),
    }


def part_of(stored: Mapping[str, Any], name: str) -> Json:
    """An object of a stored one; empty where there is none, as in a file that a
    stranger has written."""
    found = stored.get(name)
    return found if isinstance(found, dict) else {}


def _texts(stored: Mapping[str, Any], name: str) -> list[str]:
    """The texts of a list of a stored object. Like `part_of`."""
    found = stored.get(name)
    return [str(one) for one in found] if isinstance(found, list) else []


def left_out(run: Path) -> Json:
    """The files that no image was taken from: the first ones, and how many."""
    try:
        text = read_file(run / "left_out.txt", MAX_LEFT_OUT_BYTES)
    except OSError:
        return {"shown": [], "count": 0}
    lines = text.decode(errors="replace").splitlines()
    return {"shown": [line.split("\t", 1) for line in lines[:MAX_LEFT_OUT]], "count": len(lines)}


def finite(value: Any) -> Any:
    """The same with null for numbers that JSON lacks, and "?" for halves of
    characters, which names of files and a stranger's texts can have."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {finite(str(name)): finite(part) for name, part in value.items()}
    return [finite(part) for part in value] if isinstance(value, list | tuple) else value


def _thinned(lines: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """At most `MAX_POINTS` of them, evenly, the last one among them."""
    step = -(-len(lines) // MAX_POINTS) or 1
    return list(lines[::-1][::step][::-1])


def _columns(lines: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    names = dict.fromkeys(name for line in lines for name in line if name != "crc32")
    return {name: [line.get(name) for line in lines] for name in names}


def state_of_files(run: Path) -> tuple[Any, ...]:
    """What changes when the files of a run do, which is cheap to look at."""
    names = ("config.json", "log.jsonl", "report.json", "samples", ".lock")
    found: list[tuple[int, int, int] | None] = []
    for name in names:
        try:
            stat = (run / name).stat()
            found.append((stat.st_mtime_ns, stat.st_size, stat.st_ino))
        except OSError:
            found.append(None)
    return tuple(found)
