"""`equipoise status`: what runs are doing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from equipoise.cli.options import Status
from equipoise.cli.output import echo, echo_json
from equipoise.cli.parser import parse
from equipoise.coerce import as_json
from equipoise.errors import EquipoiseError, RequestError
from equipoise.runs.status import RunStatus
from equipoise.utils.formatting import about, number, spoken

SHOWN_METRICS = 4


def status(arguments: Sequence[str]) -> None:
    """equipoise status RUN ..."""
    options = parse(Status, "status", arguments)
    found, errors = [], []
    for run in options.runs:
        try:
            found.append(RunStatus.read(run))
        except EquipoiseError as error:
            errors.append(error)
    if options.json:
        echo_json(as_json([asdict(one) for one in found]))
    elif found:
        echo("\n\n".join("\n".join(_lines(one)) for one in found))
    if errors:
        kind = RequestError if isinstance(errors[0], RequestError) else EquipoiseError
        raise kind("; ".join(map(str, errors)))


def _lines(one: RunStatus) -> Iterator[str]:
    """A status for people."""
    yield f"{one.run}: {one.state} ({one.because})"
    yield _row("training", f"{one.recipe} on {one.data}, {_progress(one)}")
    if one.samples_per_second:
        left = "" if one.seconds_left is None else f", {about(one.seconds_left)} left"
        yield _row("speed", f"{number(one.samples_per_second)} samples a second{left}")
    if one.state == "running" and one.last_written is not None:
        yield _row("last report", f"{spoken(one.last_written)} ago")
    for place, (key, value) in enumerate(list(one.metrics.items())[:SHOWN_METRICS]):
        name = key.replace("_", " ").replace("/", " ")
        real = one.baselines.get(key, math.nan)
        yield _row("" if place else "metrics", f"{name} {number(value)} (real: {number(real)})")
    if one.balance is not None:
        yield _row("balance of D", f"right about {one.balance:.1%}; at the optimum 50%")
    for place, trouble in enumerate(one.troubles):
        yield _row("" if place else "troubles", trouble)
    yield _row("checkpoint", _checkpoint(one))
    if one.verdict is not None:
        of = f" (of {one.verdict_samples:,} samples)"
        yield _row("verdict", f"{one.verdict}{of}. {one.verdict_sentence}")
    for place, note in enumerate(one.notes):
        yield _row("" if place else "damaged", note)
    if one.resume is not None:
        yield _row("resume with", one.resume)


def _progress(one: RunStatus) -> str:
    done = "" if one.progress is None else f" ({one.progress:.0%})"
    if one.minutes is not None:
        return (
            f"{spoken(one.seconds)} of {one.minutes:g} minutes, {one.samples_seen:,} samples{done}"
        )
    of = "" if one.samples is None else f" of {one.samples:,}"
    return f"{one.samples_seen:,}{of} samples{done} in {spoken(one.seconds)}"


def _checkpoint(one: RunStatus) -> str:
    if one.checkpoint_samples is None:
        return "none yet"
    age = "" if one.checkpoint_age is None else f", {spoken(one.checkpoint_age)} ago"
    return f"of {one.checkpoint_samples:,} samples{age}"


def _row(name: str, text: str) -> str:
    return f"  {name:14}{text}"
