"""How long further training would take, by the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def seconds_for(samples: int, log: Sequence[Mapping[str, Any]]) -> float | None:
    """About how long a training would take for further samples.

    Args:
        samples: Further real samples to see.
        log: The lines of log.jsonl, with `samples_seen` and `seconds` of training in
            each.

    Returns:
        Seconds, at the rate of the log's last half; None where the log has no rate.
    """
    moments = [(line["samples_seen"], line["seconds"]) for line in log]
    if not moments:
        return None
    seen, seconds = moments[-1]
    half = next((moment for moment in moments if 2 * moment[0] >= seen), (0, 0.0))
    since, began = half if half[0] < seen and half[1] < seconds else (0, 0.0)
    if seen <= since or seconds <= began:
        return None
    return float(samples * (seconds - began) / (seen - since))
