"""The command line.

What is heavy is imported when a command needs it, so that `--help` answers at once.
"""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import fields

from equipoise.cli.output import say, tell_of
from equipoise.errors import (
    EquipoiseError,
    EquipoiseWarning,
    RequestError,
    first_line,
    nearest,
    printable,
)

HELP = """usage: equipoise COMMAND ...

Train generative adversarial networks that anyone can depend on.

  equipoise train DATA      train on a built-in source, a file or a folder, and say how good it is
  equipoise train --resume RUN     go on with a run
  equipoise sample RUN      draw new samples from a trained run
  equipoise evaluate RUN    measure a run again, or against other data
  equipoise compare RUN ... put several runs in one table, and in one page
  equipoise recipes         the methods that there are
  equipoise datasets        the built-in sources that there are

Start with: equipoise train gaussian
Each command has --help; train's shows every setting of its recipe.
"""
SAMPLE_POINTS = 1000
LESS = {
    "train": "give less data or a smaller batch_size",
    "sample": "ask for fewer samples",
}  # where memory ran out
WIDE = 200  # columns of a table that goes to a file


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns the exit status: 0 done, 1 could not be completed, 2 the request is wrong,
    130 or 143 stopped and saved.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if (
        arguments is None
    ):  # a person is there, to whom the warnings of other libraries say nothing; Equipoise tells of its own troubles
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", EquipoiseWarning)
        warnings.showwarning = lambda message, *_: tell_of(str(message))
    try:
        if not given or given[0] in ("-h", "--help"):
            print(HELP, end="")
            return 0
        if given[0] == "--version":
            from equipoise import __version__

            print(f"equipoise {__version__}")
            return 0
        if given[0] not in COMMANDS:
            raise RequestError(f"no command {given[0]!r}: {nearest(given[0], COMMANDS)}")
        COMMANDS[given[0]](given[1:])
        sys.stdout.flush()
        return 0
    except EquipoiseError as error:
        print(f"equipoise: {error}", file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        print("equipoise: stopped", file=sys.stderr)
        return 128 + signal.SIGINT
    except BrokenPipeError:  # the reader of a pipe has gone
        _abandon_stdout()
        return 0
    except OSError as error:
        print(
            printable(f"equipoise: {error.filename or 'output'}: {error.strerror or error}"),
            file=sys.stderr,
        )
        if error.filename is None:
            _abandon_stdout()
        return 1
    except (
        MemoryError,
        RuntimeError,
    ) as error:  # torch tells of too little memory by a RuntimeError
        if isinstance(error, RuntimeError) and "memory" not in str(error).lower():
            raise
        instead = LESS.get(given[0], "give less data")
        print(
            printable(f"equipoise: out of memory: {first_line(error)}; {instead}"), file=sys.stderr
        )
        return 1


def train(arguments: Sequence[str]) -> None:
    """equipoise train DATA ..."""
    from equipoise.cli.train import train as run

    run(arguments)


def sample(arguments: Sequence[str]) -> None:
    """equipoise sample RUN ..."""
    from equipoise.cli.parser import Sample, parse

    options = parse(Sample, "sample", arguments)
    suffix = None if options.out is None else options.out.suffix.lower()
    if suffix not in (None, ".npy", ".npz", ".csv", ".png"):
        raise RequestError(f"--out = {str(options.out)!r}: must end in .npy, .npz, .csv or .png")
    least = 1 if suffix == ".png" else 0
    if options.n is not None and options.n < least:
        raise RequestError(f"-n = {options.n}: must be at least {least}")
    if options.out is not None and not options.out.absolute().parent.is_dir():
        raise RequestError(f"--out = {str(options.out)!r}: there is no folder {options.out.parent}")

    from equipoise.api import GAN
    from equipoise.cli.sample_files import codes, encoded

    gan = GAN.load(options.run)
    n = options.n if options.n is not None else 64 if gan.schema.is_image else SAMPLE_POINTS
    if options.out is None:
        text = encoded(gan, n, options.label, codes(options.code), options.seed, None).decode()
        if sys.stdout.isatty():
            say(text.removesuffix("\n"))
        else:
            sys.stdout.write(text)
        return
    if suffix == ".png":
        from equipoise.plotting.plots import MAX_IMAGES

        gan.draw(
            options.out, options.n, label=options.label, code=codes(options.code), seed=options.seed
        )
        shown = (
            f": the first {MAX_IMAGES} of {n:,}" if gan.schema.is_image and n > MAX_IMAGES else ""
        )
    else:
        from equipoise.utils.atomic_io import write_whole

        write_whole(
            options.out, encoded(gan, n, options.label, codes(options.code), options.seed, suffix)
        )
        shown = ""
    say(f"Wrote {options.out}{shown}")


def evaluate(arguments: Sequence[str]) -> None:
    """equipoise evaluate RUN ..."""
    from equipoise.cli.parser import Evaluate, parse

    options = parse(Evaluate, "evaluate", arguments)

    from equipoise.api import GAN
    from equipoise.training.progress import Measuring

    gan = GAN.load(options.run)
    with Measuring() as measuring:
        report = gan.evaluate(
            options.data, inception=options.inception, quick=options.quick, on_step=measuring.show
        )
    if options.json:
        import json

        text = json.dumps(report.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
        print("".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text))
    else:
        say(f"{report}\n\n{report.explained()}" if options.explain else str(report))


def compare(arguments: Sequence[str]) -> None:
    """equipoise compare RUN RUN ..."""
    from equipoise.cli.parser import Compare, parse

    options = parse(Compare, "compare", arguments)
    if not options.runs:
        raise RequestError("equipoise compare needs run directories: see equipoise compare --help")
    if options.out is not None and options.out.suffix.lower() not in (".html", ".htm"):
        raise RequestError(f"--out = {str(options.out)!r}: must end in .html")

    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from equipoise.api import GAN
    from equipoise.report.comparison import rows
    from equipoise.report.formatting import BASELINE, KEY
    from equipoise.report.page import comparison
    from equipoise.utils.formatting import for_terminal

    gans = [GAN.load(run) for run in options.runs]
    reports = [gan.report for gan in gans]
    names = [escape(for_terminal(printable(str(run)))) for run in options.runs]
    table = Table("", *names, BASELINE, box=None)
    for row in rows(reports):
        cells = [for_terminal(" ".join(part for part in cell if part)) for cell in row.cells]
        name = escape(for_terminal(f"{row.sign} {printable(row.label)}"))
        table.add_row(name, *cells, for_terminal(row.floor))
    table.add_row("verdict", *[report.verdict.name for report in reports], "")
    Console(width=None if sys.stdout.isatty() else WIDE).print(table)
    print(for_terminal(KEY))
    if options.out is not None:
        from equipoise.utils.atomic_io import write_whole

        write_whole(options.out, comparison([gan.told() for gan in gans]).encode())
        say(f"Wrote {options.out}")


def recipes(arguments: Sequence[str]) -> None:
    """equipoise recipes"""
    from equipoise.recipes import DEFAULT, broken, catalogue

    _no_arguments("recipes", arguments)
    for name, recipe in catalogue().items():
        print(
            f"{name:12} {recipe.summary}{'' if name != DEFAULT else ' (what train uses unless told otherwise)'}\n{'':12} {recipe.paper}"
        )
    for name, why in broken().items():
        say(f"{name:12} cannot be used: {why}")


def datasets(arguments: Sequence[str]) -> None:
    """equipoise datasets"""
    from equipoise.data.distributions.univariate import DISTRIBUTIONS, NAMED_SOURCES

    _no_arguments("datasets", arguments)
    for name, summary in NAMED_SOURCES.items():
        settings = (
            f" (--{', --'.join(field.name for field in fields(DISTRIBUTIONS[name])).replace('_', '-')})"
            if name in DISTRIBUTIONS
            else ""
        )
        print(f"{name:12} {summary}{settings}")
    print("\nOr your own: a .npy, .npz, .csv or .parquet file, or a folder of images.")


def _abandon_stdout() -> None:
    """What could not be written is not tried again when Python ends."""
    with suppress(OSError, ValueError):  # no descriptor where a test or a notebook took its place
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _no_arguments(command: str, arguments: Sequence[str]) -> None:
    if arguments and arguments[0] not in ("-h", "--help"):
        raise RequestError(f"{command} takes no arguments, {arguments[0]!r} was given")


COMMANDS: dict[str, Callable[[Sequence[str]], None]] = {
    "train": train,
    "sample": sample,
    "evaluate": evaluate,
    "compare": compare,
    "recipes": recipes,
    "datasets": datasets,
}
