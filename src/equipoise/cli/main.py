"""The entry point of the command line: runs a command, and turns errors into messages
and exit statuses.

Heavy packages are imported inside functions, so that `--help` is fast.
"""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress

from equipoise.cli.output import warn
from equipoise.errors import (
    EquipoiseError,
    EquipoiseWarning,
    RequestError,
    first_line,
    nearest,
)
from equipoise.runtime.launch import is_started_by_us, rank

HELP = """usage: equipoise COMMAND ...

Train generative adversarial networks that anyone can depend on.

  equipoise train DATA      train on a built-in source, a file or a folder, and report
                            how good it is
  equipoise train --resume RUN     resume a run
  equipoise sample RUN      draw new samples from a trained run
  equipoise evaluate RUN    measure a run again, or against other data
  equipoise compare RUN ... put several runs in one table, and in one page
  equipoise export RUN      write the generator as ONNX, or as a page for a browser
  equipoise status RUN ...  show what runs are doing, from their files alone
  equipoise studio          open a local page to learn with, to train on your data, and
                            to use what was trained
  equipoise sweep DATA      search for better settings, and say how much of the gain is
                            luck
  equipoise film RUN        make a film of a training, or of a walk through its latents
  equipoise latent RUN WHAT interpolate between samples, find directions and latents
  equipoise describe DATA   show what is understood of data, such as a table's columns
  equipoise recipes         list the methods
  equipoise datasets        list the built-in sources and the files that can be read
  equipoise demo            the smallest training, in some seconds
  equipoise completion SHELL    complete commands and options in bash, zsh or fish

Start with: equipoise demo
Each command has --help. That of train shows every setting of its recipe.
"""
# Advice where memory runs out, by command.
LESS_MEMORY = {
    "train": "give less data or a smaller batch_size",
    "sweep": "give less data or fewer workers",
    "sample": "ask for fewer samples",
    "latent": "give fewer samples",
    "film": "give fewer frames or a smaller size",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: The words after `equipoise`. Default: those of this process.

    Returns:
        The exit status: 0 for success, 1 for a failure, 2 for a wrong request, 130 or
        143 if a signal stopped a training, which is saved.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None:
        _show_own_warnings()
    try:
        _run(given)
        sys.stdout.flush()
        return 0
    except Exception as error:
        return _failed(error, given[0] if given else "")
    except KeyboardInterrupt:
        warn("stopped")
        return 128 + signal.SIGINT


def _show_own_warnings() -> None:
    """Print Equipoise's warnings in one line each, and hide those of other
    libraries."""
    warnings.simplefilter("ignore")
    warnings.simplefilter("always", EquipoiseWarning)
    warnings.showwarning = lambda message, *_: warn(str(message))


def _run(given: Sequence[str]) -> None:
    if not given or given[0] in ("-h", "--help"):
        print(HELP, end="")
    elif given[0] == "--version":
        from equipoise import __version__

        print(f"equipoise {__version__}")
    elif given[0] in COMMANDS:
        COMMANDS[given[0]](given[1:])
    else:
        raise RequestError(f"no command {given[0]!r}: {nearest(given[0], COMMANDS)}")


def _failed(error: Exception, command: str) -> int:
    """Print an error in one line, and return the exit status.

    Raises:
        Exception: The error is neither the user's nor the machine's, but a bug.
    """
    if isinstance(error, EquipoiseError):
        if _tells(error):
            who = f"rank {rank()}: " if rank() else ""
            print(f"equipoise: {who}{error}", file=sys.stderr)
        return error.status
    if isinstance(error, BrokenPipeError):  # the reader of a pipe has closed it
        _abandon_stdout()
        return 0
    if isinstance(error, OSError):
        warn(f"{error.filename or 'output'}: {error.strerror or error}")
        if error.filename is None:
            _abandon_stdout()
        return 1
    # torch raises a RuntimeError when out of memory.
    out_of_memory = isinstance(error, RuntimeError) and "memory" in str(error).lower()
    if out_of_memory or isinstance(error, MemoryError):
        instead = LESS_MEMORY.get(command, "give less data")
        warn(f"out of memory: {first_line(error)}; {instead}")
        return 1
    raise error


def _tells(error: EquipoiseError) -> bool:
    """Whether this process prints an error, of several that may have the same one."""
    hung = getattr(error, "hung", None)  # of a LostRankError
    if hung is None:
        return rank() == 0
    return hung or (rank() == 0 and not is_started_by_us())


def _abandon_stdout() -> None:
    """Discard unwritten output, so that Python does not retry at exit."""
    with suppress(OSError, ValueError):  # stdout may be replaced by an object without fileno
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _train(arguments: Sequence[str]) -> None:
    from equipoise.cli.train import train

    train(arguments)


def _sample(arguments: Sequence[str]) -> None:
    from equipoise.cli.sample import sample

    sample(arguments)


def _evaluate(arguments: Sequence[str]) -> None:
    from equipoise.cli.evaluate import evaluate

    evaluate(arguments)


def _compare(arguments: Sequence[str]) -> None:
    from equipoise.cli.evaluate import compare

    compare(arguments)


def _export(arguments: Sequence[str]) -> None:
    from equipoise.cli.export import export

    export(arguments)


def _status(arguments: Sequence[str]) -> None:
    from equipoise.cli.status import status

    status(arguments)


def _studio(arguments: Sequence[str]) -> None:
    from equipoise.cli.studio import studio

    studio(arguments)


def _sweep(arguments: Sequence[str]) -> None:
    from equipoise.cli.sweep import sweep

    sweep(arguments)


def _film(arguments: Sequence[str]) -> None:
    from equipoise.cli.film import film

    film(arguments)


def _latent(arguments: Sequence[str]) -> None:
    from equipoise.cli.latent import latent

    latent(arguments)


def _describe(arguments: Sequence[str]) -> None:
    from equipoise.cli.describe import describe

    describe(arguments)


def _recipes(arguments: Sequence[str]) -> None:
    from equipoise.cli.listing import recipes

    recipes(arguments)


def _datasets(arguments: Sequence[str]) -> None:
    from equipoise.cli.listing import datasets

    datasets(arguments)


def _demo(arguments: Sequence[str]) -> None:
    from equipoise.cli.demo import demo

    demo(arguments)


def _completion(arguments: Sequence[str]) -> None:
    from equipoise.cli.completion import completion

    completion(arguments)


COMMANDS: dict[str, Callable[[Sequence[str]], None]] = {
    "train": _train,
    "sample": _sample,
    "evaluate": _evaluate,
    "compare": _compare,
    "export": _export,
    "status": _status,
    "studio": _studio,
    "sweep": _sweep,
    "film": _film,
    "latent": _latent,
    "describe": _describe,
    "recipes": _recipes,
    "datasets": _datasets,
    "demo": _demo,
    "completion": _completion,
}
