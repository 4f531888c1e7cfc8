"""Diagnosis: from metrics beside their baselines and the log's curves to a plain
sentence about how good a result is, how certain that is, and the one thing to do
next."""

from equipoise.diagnosis.advice import (
    FAULTS,
    HEALTHY,
    Name,
    Severity,
    Verdict,
    severity,
)
from equipoise.diagnosis.diagnoses import diagnose
from equipoise.diagnosis.evidence import Evidence
from equipoise.diagnosis.monitor import Monitor

__all__ = [
    "FAULTS",
    "HEALTHY",
    "Evidence",
    "Monitor",
    "Name",
    "Severity",
    "Verdict",
    "diagnose",
    "severity",
]
