"""The report as a page: one HTML file that needs no network, for the screen, for paper and for a screen reader."""

from equipoise.page.assembly import Run, comparison, page
from equipoise.page.tables import rows

__all__ = ["Run", "comparison", "page", "rows"]
