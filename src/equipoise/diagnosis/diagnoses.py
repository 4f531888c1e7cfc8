"""The verdict: each diagnosis looks for the evidence of one cause, and the first that
finds it gives its verdict.

Causes come before symptoms, since samples can be far from the data for many reasons.
Those of the training and of the data have files of their own.

benchmarks/RESULTS.md has how often they are right on runs with a planted fault.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from equipoise.diagnosis.advice import (
    Verdict,
    margin,
    stabilise,
    still_improving,
    train_command,
    train_longer,
    use,
)
from equipoise.diagnosis.data_diagnoses import (
    MIN_HELD_OUT,
    labels_ignored,
    latent_too_small,
    memorising,
    more_rows,
    too_little_data,
    undecided,
)
from equipoise.diagnosis.evidence import AUC_MARGIN, Evidence
from equipoise.diagnosis.symptoms import (
    CLOSE_RATIO,
    CONVERGED_RATIO,
    collapse,
    columns_off,
    far,
    flaw,
    nearly_identical,
    off_data,
    order_off,
)
from equipoise.diagnosis.training_diagnoses import (
    discriminator_misled,
    diverged,
    one_network_won,
    recovered,
    still_improving_early,
)
from equipoise.metrics.c2st import C2ST_ACCURACY, MARGIN
from equipoise.metrics.tables.two_sample import C2ST_AUC
from equipoise.recipes import DEFAULT

# Of the test of equivalence; with less the data cannot show a sampler to be good.
MIN_POWER = 0.25
SUSPECT_ACCURACY = 0.55  # of the C2ST; from here a result near the baseline is not converged
FULL_LENGTH = 0.9  # fraction of the usual samples; a run that long has had its time


def diagnose(evidence: Evidence) -> Verdict:
    """The first diagnosis that the evidence supports.

    Args:
        evidence: Metrics, log and settings of a run.

    Returns:
        The verdict with its advice.
    """
    found = next(found for diagnose in DIAGNOSES if (found := diagnose(evidence)) is not None)
    lacking = collapse(evidence)
    if lacking and lacking not in found.sentence and found.name not in ("diverged", "undecided"):
        found = replace(found, sentence=f"{found.sentence} The samples lack variety: {lacking}.")
    off = columns_off(evidence) or order_off(evidence)
    if off and off not in found.sentence and found.name not in ("diverged", "undecided"):
        found = replace(found, sentence=f"{found.sentence} {off[0].upper()}{off[1:]}.")
    found = with_data_advice(evidence, found)
    if evidence.held_out >= MIN_HELD_OUT or found.name in ("diverged", "undecided"):
        return found
    caveat = f" Only {evidence.held_out:,} samples were held out, too few for finer differences."
    return replace(found, sentence=found.sentence + caveat)


def with_data_advice(e: Evidence, found: Verdict) -> Verdict:
    """The verdict with advice on the data where that is the cause: extreme outliers, or
    too few rows, which no longer training helps."""
    if found.name not in ("mode collapse", "stalled", "close", "diverged", "still improving"):
        return found
    if e.outliers:
        advice = (
            "Next: correct or remove the extreme outliers: beside them the other rows "
            "look the same to a network."
        )
        return replace(found, advice=advice, command="")
    if (
        e.held_out < MIN_HELD_OUT
        and not e.is_short
        and found.name in ("mode collapse", "stalled", "close")
    ):
        return replace(found, advice=more_rows(e), command="")
    return found


def mode_collapse(e: Evidence) -> Verdict | None:
    """Modes, digits, categories or regions of the data that the samples lack, and no
    progress."""
    lacking = collapse(e)
    if not lacking or (e.improving and far(e) and not nearly_identical(e)):
        return None
    if e.recipe != DEFAULT:
        advice, command = (
            f"Next: use the recipe {DEFAULT}, which is designed to keep every "
            f"{'category' if e.is_table else 'mode'}.",
            train_command(e),
        )
    else:
        advice, command = stabilise(e) if e.changed else train_longer(e)
    sentence = f"The samples lack variety: {lacking}. {e.summary_sentence}."
    return Verdict("mode collapse", sentence, "sure", advice, command)


def near_the_data(e: Evidence) -> Verdict | None:
    """Converged, or close."""
    if far(e):
        return None
    if wrong := flaw(e):
        sentence = f"The samples lie where the data does, but {wrong}. {e.summary_sentence}."
        return Verdict("close", sentence, "sure", *train_longer(e))
    if e.equivalent:
        sentence = f"Generated and real data can hardly be distinguished: {e.summary}."
        return Verdict("converged", sentence, "sure", *use(e))
    c2st = e[C2ST_ACCURACY]
    distinguished = c2st is not None and c2st.low is not None and c2st.low > c2st.baseline
    suspected = c2st is not None and c2st.value >= SUSPECT_ACCURACY and distinguished
    if e.baseline_ratio <= CONVERGED_RATIO and not suspected and not table_differs(e):
        if not distinguished and e.equivalence_power < MIN_POWER:
            return undecided(e)
        sentence = (
            "No difference that matters was found, though a small one could have been "
            f"missed: {e.summary}."
        )
        return Verdict("converged", sentence, "likely", *use(e))
    if e.improving:
        return still_improving(e)
    sentence = f"The samples are close to the data, with a measurable difference: {e.summary}."
    if c2st is not None and e.baseline_ratio <= CONVERGED_RATIO:  # only the classifier finds one
        sure = margin(c2st, 0.5 + MARGIN)
    else:
        sure = margin(e.primary, CLOSE_RATIO * e.primary.baseline)
    return Verdict("close", sentence, sure, *train_longer(e))


def table_differs(e: Evidence) -> bool:
    """Whether rows of a table are seen to differ from real ones.

    Few baselines of the distance are much there: exchanging all cells of each column
    gives 7 of them on Adult. So the distance must be below that of real rows with 5% of
    the cells exchanged.
    """
    if not e.is_table:
        return False
    auc, primary = e[C2ST_AUC], e.primary
    told_apart = auc is not None and auc.low is not None and auc.low > 0.5 + AUC_MARGIN
    return told_apart or (primary.narrowed is not None and primary.value >= primary.narrowed)


def far_from_the_data(e: Evidence) -> Verdict:
    """Still improving, or stalled.

    A recipe that improves too slowly needs no more training: there is a better one.
    """
    unfinished = e.samples_seen < FULL_LENGTH * e.usual_samples
    if e.recipe == DEFAULT:
        go_on = unfinished or e.improving
    else:
        go_on = (unfinished and not e.shows_trend) or e.promising
    if go_on and not e.early_stopped:
        return still_improving(e, collapse(e))
    off = off_data(e)
    slow = "improve too slowly for more training to help" if e.improving else "no longer improve"
    sentence = f"The samples differ from real ones{off and f' ({off})'} and {slow}: {e.summary}."
    return Verdict("stalled", sentence, "likely", *stabilise(e))


DIAGNOSES: tuple[Callable[[Evidence], Verdict | None], ...] = (
    diverged,
    memorising,
    too_little_data,
    labels_ignored,
    latent_too_small,
    discriminator_misled,
    one_network_won,
    recovered,
    still_improving_early,
    mode_collapse,
    near_the_data,
    far_from_the_data,
)
