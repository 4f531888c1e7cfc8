"""What a notebook shows of a GAN and of a report: a cell of HTML, without scripts and
style sheets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from equipoise.diagnosis import Severity, Verdict, severity
from equipoise.report.formatting import BASELINE, GENERATED, INTERVAL, KEY, SEVERITY_MARKS
from equipoise.report.templates import template

TEMPLATE = "notebook.html.jinja"


@dataclass(frozen=True)
class Card:
    """What the template shows."""

    title: str = ""
    lines: Sequence[str] = ()
    """Stand below the title."""
    picture: str = ""
    """A PNG of samples as a data URI; empty for none."""
    verdict: Verdict | None = None
    """None where nothing has been measured."""
    rows: Sequence[Sequence[str]] = ()
    """Metrics: the label with its sign, value, interval and baseline."""
    heads: tuple[str, ...] = (GENERATED, INTERVAL, BASELINE)
    key: str = KEY

    @property
    def severity(self) -> Severity:
        """Of the verdict."""
        return "fair" if self.verdict is None else severity(self.verdict)

    @property
    def mark(self) -> str:
        """The severity in words, beside its colour."""
        return SEVERITY_MARKS[self.severity]

    def html(self) -> str:
        """The cell."""
        text = files("equipoise.report").joinpath(TEMPLATE).read_text("utf-8")
        return template(text).render(card=self)
