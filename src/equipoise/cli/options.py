"""The options of each command except `train`, as dataclasses; see `train_options` for
`train`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from equipoise.cli.parser import option, positional
from equipoise.coerce import raise_mistakes
from equipoise.data import AskedLayout, writers
from equipoise.errors import RequestError, nearest

RUN_NEEDED = "a run directory"
OUT_HELP = (
    "FILE.npy, .npz or .csv for the samples, FILE.png for an image of them; of a table "
    f"{', '.join(writers.endings())}. A folder (a name without an ending), .zip, or .tar for "
    "WebDataset: an image file for each, in the size and format of the data. A folder of points, "
    "rows or windows, or of more than 100,000 images: .parquet or .tar files of --shard-size "
    "each; the same command goes on after an interruption. Default: points and rows are printed."
)
TO_HELP = (
    "FILE.onnx for onnxruntime, with a Python file beside it that draws samples; FILE.pt2 for "
    "torch; FILE.html for a page that samples in a browser, offline."
)
MAX_PROCESSES = 1024  # of one machine
SHELLS = ("bash", "zsh", "fish")


@dataclass(frozen=True)
class Sample:
    """Draw new samples from a trained run."""

    run: Path = positional("RUN", RUN_NEEDED)
    """A run directory, or pretrained:mnist, which comes with Equipoise."""
    n: int | None = option(None, "N", short="-n")
    """How many samples. Default: 64 images, or 1,000 points (10,000 in a .png)."""
    label: str | None = None
    """The class to draw, for a run that was trained with labels."""
    where: tuple[str, ...] = option((), "COLUMN=VALUE", repeats=True)
    """Rows of a table that meet conditions: plan=pro, age=60..70, age=60.., city=A,B
    for either, city= for blanks. Several are all met."""
    code: str | None = option(None, "CODES")
    """Codes to fix, for a run of the recipe infogan, such as c0=3,u0=-1.5. The others
    are drawn at random."""
    truncation: float | None = option(None, "PSI")
    """Samples nearer to the mean, more alike and often better: 0.7 is usual, 1 changes
    nothing, 0 is the mean sample."""
    seed: int | None = None
    """The same seed gives the same samples. Default: different ones every time."""
    out: Path | None = option(None, "FILE", doc=OUT_HELP)
    shard_size: int | None = option(None, "N")
    """Samples of each file in the folder --out. Default: 250,000 rows or 10,000
    images, fewer of large ones."""
    processes: int | None = option(None, "N")
    """Processes of this machine that write the files in the folder --out together
    (docs/scaling.md). Default: 1."""
    device: str = "auto"
    """cpu, cuda, or auto: a CUDA GPU if there is one."""

    def __post_init__(self) -> None:
        mistakes = []
        if self.shard_size is not None and self.shard_size < 1:
            mistakes.append(f"shard_size = {self.shard_size}: must be at least 1")
        if self.processes is not None and not 1 <= self.processes <= MAX_PROCESSES:
            mistakes.append(f"processes = {self.processes}: must be from 1 to {MAX_PROCESSES}")
        raise_mistakes(mistakes)


@dataclass(frozen=True)
class Evaluate:
    """Measure a trained run against real data. Each metric is shown with its baseline,
    the value of real samples."""

    run: Path = positional("RUN", RUN_NEEDED)
    """A run directory, or pretrained:mnist, which comes with Equipoise."""
    data: str | None = option(None, "DATA")
    """Data to compare with. Default: the held-out part of the training data."""
    inception: bool = False
    """Add Inception's FID and KID. Needs torch-fidelity and its weights."""
    target: str | None = option(None, "COLUMN")
    """Of a table: add how well this column is predicted on real rows by a model that
    was trained on generated ones, beside one trained on real ones."""
    quick: bool = False
    """Use fewer samples, as after a short training."""
    json: bool = False
    """Print JSON."""
    explain: bool = False
    """Explain what each metric measures."""


@dataclass(frozen=True)
class Compare:
    """Put several trained runs side by side in one table, and in one page."""

    runs: tuple[Path, ...] = positional("RUN", "run directories")
    """Run directories."""
    out: Path | None = option(None, "FILE.html")
    """Write a page with their samples and curves."""


@dataclass(frozen=True)
class Export:
    """Write the generator of a run for other programs: for onnxruntime, for torch
    without Equipoise, or as a page that samples in a browser."""

    run: Path = positional("RUN", RUN_NEEDED)
    """A run directory."""
    to: Path | None = option(None, "FILE.onnx, .pt2 or .html", doc=TO_HELP)
    int8: bool = False
    """Store weights as int8, in a quarter of the bytes, if samples hardly move."""


@dataclass(frozen=True)
class Status:
    """Show what runs are doing: how far they are, how good, when they end, and how to
    resume them. Only their files are read, and nothing is changed."""

    runs: tuple[Path, ...] = positional("RUN", "run directories")
    """Run directories."""
    json: bool = False
    """Print JSON: a list with one entry for each."""


@dataclass(frozen=True)
class Describe:
    """Print what is understood of DATA: of a table its columns, of which --out writes a
    file to edit."""

    data: str = positional("DATA", "data")
    """A file, a folder of images or of the parts of a table, .tar files of samples, or
    a built-in source."""
    columns: str | None = option(None, "FILE")
    """What the columns are, where they are not recognised: a file that --out wrote."""
    series: str | None = option(None, "COLUMN")
    """The column of a table that says which window of a series a row belongs to."""
    time: str | None = option(None, "COLUMN")
    """The column of times in a table of series."""
    label_column: str | None = option(None, "COLUMN")
    """The column of labels in a table of series."""
    layout: AskedLayout | None = None
    """Of an array: NCHW, NHWC or NHW images, or NTC windows of series."""
    out: Path | None = option(None, "FILE.toml")
    """Write the columns, for `equipoise train DATA --columns FILE.toml`."""


@dataclass(frozen=True)
class Recipes:
    """List the published methods that can be trained."""


@dataclass(frozen=True)
class Datasets:
    """List the built-in data sources and the files that can be read."""


@dataclass(frozen=True)
class Studio:
    """Open a local page to learn with, to train on your data, and to use what was
    trained. Trainings go on when the page or the studio is closed."""

    runs: tuple[Path, ...] = positional("RUN", "run directories", ())
    """Runs to show, beside those in --folder."""
    folder: Path = Path("runs")
    """Where new runs and uploads are written, and where runs are looked for."""
    port: int | None = option(None, "P")
    """The port to listen at; 0 takes any free one. Default: the first free one from
    8420 on."""
    host: str = "127.0.0.1"
    """The address to listen at. Any other than this machine's own needs a token, which
    the address that is printed has."""
    token: str | None = None
    """The token of an address that others can reach. Default: a new one."""
    max_upload: int = 2**31
    """The largest upload, in bytes."""
    browser: bool = True
    """Open the page in a browser."""


@dataclass(frozen=True)
class Demo:
    """Train on the normal distribution N(4, 1.25) in some seconds, and say what is
    seen."""

    out: Path | None = option(None, "DIR")
    """The directory to keep the run in. Default: the next free name under runs/."""


@dataclass(frozen=True)
class Completion:
    """Print a script that completes commands and options in a shell."""

    shell: str = positional("SHELL", f"a shell: {', '.join(SHELLS[:-1])} or {SHELLS[-1]}")
    """bash, zsh or fish."""

    def __post_init__(self) -> None:
        if self.shell not in SHELLS:
            raise RequestError(f"shell = {self.shell!r}: {nearest(self.shell, SHELLS)}")
