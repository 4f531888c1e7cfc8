"""The verdict: from figures beside their floors and the log's curves to a plain sentence about how good a result is, how sure that is, and
the one thing to do next."""

from equipoise.verdict.advice import Name, Severity, Verdict, severity
from equipoise.verdict.diagnoses import HEALTHY, judge
from equipoise.verdict.evidence import Evidence
from equipoise.verdict.watch import Watch

__all__ = ["HEALTHY", "Evidence", "Name", "Severity", "Verdict", "Watch", "judge", "severity"]
