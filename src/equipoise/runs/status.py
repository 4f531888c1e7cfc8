"""What a run is doing, as its files say: config.json, log.jsonl, checkpoints, lock and
report. They are read and nothing else, so that it can be asked while a training writes.
"""

from __future__ import annotations

import math
import shlex
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from equipoise.coerce import checked
from equipoise.errors import RequestError, first_line
from equipoise.runs import checkpoint
from equipoise.runs.directory import LOCK, RunDirectory
from equipoise.runs.holder import Holder
from equipoise.runs.serialization import DamagedFileError, read_json, read_scalars

RunState = Literal["running", "finished", "stopped", "interrupted", "diverged"]
# Reports that the rate is measured over.
RATE_REPORTS = 10
# A run that another machine has locked is taken to be running if its log was written to
# less than this many seconds ago, or less than this many times its interval of reports.
MIN_SILENCE, SILENT_REPORTS = 60.0, 5.0
SHOWN_TROUBLES = 5  # the last ones


@dataclass(frozen=True)
class RunStatus:
    """What a run is doing."""

    run: str
    """Its directory."""
    state: RunState
    """running; finished: of its length, or by early stopping; stopped before, with all
    saved; interrupted: what came after the last checkpoint is lost; diverged."""
    because: str
    """What the state was read from, in words."""
    data: str
    recipe: str
    samples_seen: int
    """Real samples seen so far."""
    seconds: float
    """Seconds of training so far."""
    samples: int | None
    """Its length in samples, where that is known already."""
    minutes: float | None
    """Its length in minutes, where it was given so."""
    progress: float | None
    """Fraction of the training that is done; None where the length is not known yet."""
    samples_per_second: float | None
    seconds_left: float | None
    """Of training, at the rate of the last reports."""
    last_written: float | None
    """Seconds since the log was written to."""
    metrics: dict[str, float]
    """Of the last evaluation, by key, the primary one first."""
    baselines: dict[str, float]
    """The same of real samples."""
    balance: float | None
    """How often D was right at the last report, 0.5 at the optimum."""
    troubles: list[str]
    """What was warned of last, with the samples seen."""
    checkpoint: str | None
    """The newest checkpoint's file."""
    checkpoint_samples: int | None
    checkpoint_age: float | None
    """Seconds since it was written."""
    verdict: str | None
    """The name of the report's verdict."""
    verdict_sentence: str | None
    verdict_samples: int | None
    """Samples seen by the generator that the verdict is on."""
    resume: str | None
    """What to type to go on; None where there is nothing left to do."""
    notes: list[str]
    """What of its files is damaged."""

    @classmethod
    def read(cls, path: Path) -> RunStatus:
        """The status of the run in a directory.

        Raises:
            RequestError: It is none.
            DamagedFileError: Its config.json is not what was written.
        """
        directory = RunDirectory.existing(path)
        notes: list[str] = []
        config = _Config.read(directory.config_file)
        saved, damaged = _newest_checkpoint(directory.checkpoints)
        log = directory.read_log(notes.append)
        report, unread = _report(directory.report)
        notes += [*damaged, *unread]
        last: dict[str, Any] = log[-1] if log else {"samples_seen": 0, "seconds": 0.0}
        ends = config.ends_at(last, config.samples or saved.horizon or _length(log), saved)
        age, rate = _age(directory.log_file, directory.config_file), _rate(log)
        state, because = _state(directory, log, ends.progress, saved, age)
        return cls(
            run=str(path),
            state=state,
            because=because,
            data=config.data,
            recipe=config.recipe,
            samples_seen=last["samples_seen"],
            seconds=last["seconds"],
            samples=ends.samples,
            minutes=config.minutes,
            progress=1.0 if state == "finished" else ends.progress,
            samples_per_second=rate,
            seconds_left=None if state == "finished" else ends.seconds_left(rate),
            last_written=age,
            metrics=_last(log, "metrics"),
            baselines=_last(log, "baselines"),
            balance=next((line["balance"] for line in reversed(log) if "balance" in line), None),
            troubles=_troubles(log)[-SHOWN_TROUBLES:],
            checkpoint=None if saved.path is None else str(saved.path),
            checkpoint_samples=saved.samples_seen,
            checkpoint_age=None if saved.path is None else _age(saved.path),
            verdict=report.get("name"),
            verdict_sentence=report.get("sentence"),
            verdict_samples=report.get("samples_seen"),
            resume=None if state in ("running", "finished") else config.resume_command(path),
            notes=notes,
        )


@dataclass(frozen=True)
class _Ends:
    """How far a training is, and how far it is to go."""

    samples: int | None
    progress: float | None
    samples_left: int | None
    time_left: float | None

    def seconds_left(self, rate: float | None) -> float | None:
        if self.time_left is not None or self.samples_left is None or not rate:
            return self.time_left
        return self.samples_left / rate


@dataclass(frozen=True)
class _Saved:
    """The newest checkpoint."""

    path: Path | None
    samples_seen: int | None
    horizon: int | None
    """Samples that the training was to see, as it was planned then."""


@dataclass(frozen=True)
class _Config:
    """What a status takes from config.json."""

    data: str
    recipe: str
    samples: int | None
    minutes: float | None
    in_python: bool

    @classmethod
    def read(cls, file: Path) -> _Config:
        """Without the classes of recipes and data, which import torch.

        Raises:
            DamagedFileError: It is not what was written.
        """
        stored = read_json(file)
        try:
            run, data, recipe = (
                checked(name, stored.get(name), dict[str, Any])
                for name in ("run", "data", "recipe")
            )
            origin = checked("origin", data.get("origin"), str | None)
            by_labels = checked("labels_in_python", data.get("labels_in_python"), bool)
            return cls(
                data=checked("name", data.get("name"), str),
                recipe=checked("name", recipe.get("name"), str),
                samples=checked("samples", run.get("samples"), int | None),
                minutes=checked("minutes", run.get("minutes"), float | None),
                in_python=by_labels or (origin is None and "distribution" not in data),
            )
        except RequestError as error:
            raise DamagedFileError(f"{file} is not what was written: {first_line(error)}") from None

    def ends_at(self, last: Mapping[str, Any], samples: int | None, saved: _Saved) -> _Ends:
        """How far a training is whose last line of the log is this."""
        seen, seconds = last["samples_seen"], last["seconds"]
        if self.minutes is not None:
            limit = 60 * self.minutes
            done = min(seconds / limit, 1.0)
            if saved.horizon:  # it ends with its schedule, which may be before the time is up
                done = max(done, min(seen / saved.horizon, 1.0))
            return _Ends(saved.horizon, done, None, max(limit - seconds, 0.0))
        if samples is None:
            return _Ends(None, None, None, None)
        return _Ends(samples, min(seen / max(samples, 1), 1.0), max(samples - seen, 0), None)

    def resume_command(self, path: Path) -> str:
        """What to type to go on."""
        if self.in_python:
            return f"GAN().fit(data, out={str(path)!r}, resume=True)"
        return shlex.join(["equipoise", "train", "--resume", str(path)])


def _state(
    directory: RunDirectory,
    log: Sequence[Mapping[str, Any]],
    progress: float | None,
    saved: _Saved,
    age: float | None,
) -> tuple[RunState, str]:
    """What a run is doing, and what says so."""
    holder = Holder.read(directory.path / LOCK)
    if holder is not None and holder.is_here and holder.is_alive:
        return "running", f"process {holder.pid} of this machine has its lock"
    last = log[-1] if log else {}
    is_saved = saved.samples_seen is not None and saved.samples_seen == last.get("samples_seen")
    if "diverged" in last:
        return "diverged", str(last["diverged"])
    if "early_stopped" in last:
        return "finished", "its metric no longer improved"
    if progress == 1 and is_saved:
        return "finished", "it has reached its length"
    if holder is not None and not holder.is_here:
        if age is not None and age < max(MIN_SILENCE, SILENT_REPORTS * _interval(log)):
            return "running", "a process of another machine has its lock, and writes"
        return "interrupted", "a process of another machine had its lock, and has fallen silent"
    if holder is not None:
        return "interrupted", f"process {holder.pid}, which had its lock, is gone"
    if is_saved:
        return "stopped", "nobody has its lock, and all is saved"
    return "interrupted", "nobody has its lock, and its last lines are in no checkpoint"


def _age(*files: Path) -> float | None:
    """Seconds since the last of these was written; None where none is there."""
    found = []
    for file in files:
        with suppress(OSError):
            found.append(max(time.time() - file.stat().st_mtime, 0.0))
    return min(found, default=None)


def _newest_checkpoint(folder: Path) -> tuple[_Saved, list[str]]:
    """The newest checkpoint, and what is wrong with it."""
    for path in checkpoint.checkpoints(folder)[:1]:
        try:
            state = checked("state", read_scalars(path).get("state"), dict[str, Any])
            horizon = checked("horizon", state.get("horizon"), int | None)
        except (DamagedFileError, RequestError) as error:
            return _Saved(path, int(path.stem), None), [first_line(error)]
        return _Saved(path, int(path.stem), horizon), []
    return _Saved(None, None, None), []


def _report(file: Path) -> tuple[dict[str, Any], list[str]]:
    """Name and sentence of the verdict, and what is wrong with the report."""
    if not file.is_file():
        return {}, []
    try:
        stored = read_json(file)
        verdict = checked("verdict", stored.get("verdict"), dict[str, Any])
        words = {name: checked(name, verdict.get(name), str) for name in ("name", "sentence")}
        seen = checked("samples_seen", stored.get("samples_seen"), int)
    except (DamagedFileError, RequestError) as error:
        return {}, [first_line(error)]
    return {**words, "samples_seen": seen}, []


def _reports(log: Sequence[Mapping[str, Any]]) -> list[tuple[int, float]]:
    """Samples seen and seconds of the last reports."""
    moments = [
        (line["samples_seen"], line["seconds"]) for line in log if "discriminator_loss" in line
    ]
    return moments[-RATE_REPORTS:]


def _rate(log: Sequence[Mapping[str, Any]]) -> float | None:
    """Samples a second over the last reports."""
    moments = [*([] if len(_reports(log)) > 1 else [(0, 0.0)]), *_reports(log)]
    (seen, began), (now, ended) = moments[0], moments[-1]
    return (now - seen) / (ended - began) if now > seen and ended > began else None


def _interval(log: Sequence[Mapping[str, Any]]) -> float:
    """Seconds between two reports, of the last ones."""
    moments = _reports(log)
    return (moments[-1][1] - moments[0][1]) / (len(moments) - 1) if len(moments) > 1 else 0.0


def _length(log: Sequence[Mapping[str, Any]]) -> int | None:
    """The samples that a training was to see, where its log says so."""
    stated = [line["samples"] for line in log if "early_stopping" in line and "samples" in line]
    return int(stated[-1]) if stated and math.isfinite(stated[-1]) else None


def _last(log: Sequence[Mapping[str, Any]], name: str) -> dict[str, float]:
    """The newest of these numbers by name; empty where there are none."""
    return dict(next((line[name] for line in reversed(log) if name in line), {}))


def _troubles(log: Sequence[Mapping[str, Any]]) -> list[str]:
    """What was warned of, and the roll-backs."""
    found = []
    for line in log:
        if "recovered" in line:
            found.append((line, f"{line['recovered']} was not finite: rolled back"))
        elif "trouble" in line:
            found.append((line, line["trouble"]))
    return [f"after {line['samples_seen']:,} samples: {text}" for line, text in found]
