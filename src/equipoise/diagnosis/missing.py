"""What samples do not reach, of data whose modes or digits are known."""

from __future__ import annotations

import math
from collections.abc import Mapping

from equipoise.metrics.result import DIGIT_FREQUENCY, MODES, REVERSE_KL
from equipoise.metrics.suites import QUICK_SAMPLES

MISSING_FREQUENCY = (
    0.02  # a digit with a smaller share is called missing; real digits have .09 to .11
)
# Between two real draws' missed modes; a training is judged dozens of times, and none
# of them may be a false alarm.
STDS = 4.0
# Share of the divergence that the missing modes would give, from which they are missing
# and not merely missed by a little.
UNEVEN = 0.5


def missing(values: Mapping[str, float], floors: Mapping[str, float]) -> str:
    """The modes or digits that are missing, in words, from figures by name and the same
    of real samples; empty if none is.

    Samples that lie beside every mode, and on few, have the modes' shares even: they
    are vague, and not collapsed.
    """
    for name, covered in values.items():
        if name.startswith(MODES) and covered < floors[name] - _by_chance(
            int(name.removeprefix(MODES))
        ):
            alone = math.log(floors[name] / max(covered, 1))
            if values.get(REVERSE_KL, math.inf) > UNEVEN * alone:
                return f"{covered:.0f} of {floors[name]:.0f} modes are covered"
    fractions = {
        name.removeprefix(DIGIT_FREQUENCY): value
        for name, value in values.items()
        if name.startswith(DIGIT_FREQUENCY)
    }
    digits = [digit for digit, fraction in fractions.items() if fraction < MISSING_FREQUENCY]
    return f"hardly any {', '.join(digits)} among the digits" if digits else ""


def _by_chance(modes: int) -> float:
    """How many modes fewer than real samples a sampler of the same distribution may
    cover. Of n samples modes * exp(-n / modes) modes are missed, and that varies no
    more than a Poisson distribution; of few modes it is none."""
    return max(0.5, STDS * math.sqrt(2 * modes * math.exp(-QUICK_SAMPLES / modes)))
