"""`equipoise evaluate` and `equipoise compare`: metrics of trained runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from equipoise.cli.options import Compare, Evaluate
from equipoise.cli.output import echo, echo_json
from equipoise.cli.parser import parse
from equipoise.errors import RequestError, printable

TABLE_WIDTH = 200  # columns, where the table goes to a file or a pipe


def evaluate(arguments: Sequence[str]) -> None:
    """equipoise evaluate RUN ..."""
    options = parse(Evaluate, "evaluate", arguments)

    if options.json and options.explain:
        raise RequestError("--explain is in words, and --json has none: leave one of them out")
    from equipoise.api import GAN
    from equipoise.training.progress import EvaluationStatus

    gan = GAN.load(options.run)
    with EvaluationStatus() as status:
        report = gan.evaluate(
            options.data,
            inception=options.inception,
            target=options.target,
            quick=options.quick,
            on_step=status,
        )
    if options.json:
        echo_json(report.to_dict())
    else:
        echo(f"{report}\n\n{report.explained()}" if options.explain else str(report))


def compare(arguments: Sequence[str]) -> None:
    """equipoise compare RUN RUN ..."""
    options = parse(Compare, "compare", arguments)
    if options.out is not None and options.out.suffix.lower() not in (".html", ".htm"):
        raise RequestError(f"--out = {str(options.out)!r}: must end in .html")

    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from equipoise.api import GAN
    from equipoise.report.comparison import rows
    from equipoise.report.formatting import BASELINE, KEY
    from equipoise.report.page import comparison
    from equipoise.utils.atomic_io import write_atomic
    from equipoise.utils.formatting import for_terminal

    gans = [GAN.load(run) for run in options.runs]
    reports = [gan.report for gan in gans]
    names = [escape(for_terminal(printable(str(run)))) for run in options.runs]
    table = Table("", *names, BASELINE, box=None)
    for row in rows(reports):
        cells = [for_terminal(" ".join(part for part in cell if part)) for cell in row.cells]
        name = escape(for_terminal(f"{row.sign} {printable(row.label)}"))
        table.add_row(name, *cells, for_terminal(row.baseline))
    table.add_row("verdict", *[report.verdict.name for report in reports], "")
    Console(width=None if sys.stdout.isatty() else TABLE_WIDTH).print(table)
    print(for_terminal(KEY))
    sizes = sorted({report.metrics[0].n_samples or 0 for report in reports})
    if len(sizes) > 1:
        numbers = " and ".join(f"{size:,}" for size in sizes)
        echo(
            f"The runs were measured on {numbers} samples, and metrics depend on how many. "
            "To measure a run in full: equipoise evaluate RUN"
        )
    if options.out is not None:
        write_atomic(options.out, comparison([gan.page_context() for gan in gans]).encode())
        echo(f"Wrote {options.out}")
