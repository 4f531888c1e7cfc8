"""The settings of a run, whatever the recipe: how long, where, from which seed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

from equipoise.coerce import Ge, Gt, Interval, validate
from equipoise.data import AskedLayout
from equipoise.errors import clipped

if TYPE_CHECKING:
    from equipoise.data.image_options import ImageOptions
    from equipoise.data.series.frames import Roles

MAX_THREADS = 1024
MAX_PROCESSES = 2**16
MAX_SIDE = 8192  # pixels
Precision = Literal["auto", "float32", "bfloat16"]
Compile = Literal["auto", "on", "off"]
Evaluation = Literal["auto", "full", "quick", "none"]
# What a resumed run may set anew.
CHANGEABLE = ("samples", "minutes", "device", "threads", "stop_when", "evaluate", "tracker")
LENGTHS = ("samples", "minutes")
IMAGE_SETTINGS = ("layout", "alpha", "size", "crop", "fit")


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """How long to train, where and from which seed."""

    samples: Annotated[int | None, Ge(1)] = None
    """Real samples to train on in all. Default: the recipe's usual number."""
    minutes: Annotated[float | None, Gt(0)] = None
    """Minutes to train in all, instead of `samples`. A resumed run counts those
    before."""
    seed: Annotated[int, Interval(0, 2**31 - 1)] = 0
    """Seed of everything random: one seed, one result at one thread count."""
    split_seed: Annotated[int | None, Interval(0, 2**31 - 1)] = None
    """Seed of the choice of samples that are held out, to train with several seeds on
    one split. Default: the seed."""
    device: str = "auto"
    """cpu, cuda, or auto: a CUDA GPU if there is one.

    Apple's GPUs (mps) are not supported: they have no float64.
    """
    threads: Annotated[int, Interval(0, MAX_THREADS)] = 0
    """CPU threads. 0: one for tables; for images as many as the networks can use, at
    most one per core."""
    precision: Precision = "auto"
    """Of products and convolutions in training. auto: bfloat16 for images and
    tables of mixed columns where the processor supports it, else float32."""
    compile: Compile = "auto"
    """Compile the training step, which takes about a minute. auto: for runs long enough
    to save more than that."""
    memory_budget: Annotated[float, Gt(0)] = 4.0
    """GiB of decoded data to hold in memory. A larger folder, .tar, .npy, Dataset or
    Parquet table is read while training."""
    stop_when: Literal["converged"] | None = None
    """converged: stop when the metric measured while training no longer improves, and
    keep the best generator."""
    validation: bool = False
    """Take metrics while training on half of the held-out samples, and the report's on
    the other half: for runs that are chosen by the former. `stop_when` implies it."""
    evaluate: Evaluation = "auto"
    """The report after `equipoise train`: full, quick (about a fifth of the samples) or
    none. auto: full after two minutes of training, else quick."""
    label_column: str | None = None
    """The column of a table that holds labels."""
    columns: dict[str, Any] | str | None = field(default=None, metadata={"metavar": "FILE"})
    """What the columns of a table are, where they are not recognised: a file that
    `equipoise describe` writes; in Python also {"age": {"kind": "integer"}}."""
    constraints: tuple[str, ...] | None = field(
        default=None, metadata={"metavar": "TEXT", "repeats": True}
    )
    """What holds in every row of a table, and will in every sample: "start <= end",
    "total = price * quantity", "combinations(plan, country)"."""
    series: str | None = field(default=None, metadata={"metavar": "COLUMN"})
    """The column of a table that says which window of a series a row belongs to. All
    other columns are channels."""
    time: str | None = field(default=None, metadata={"metavar": "COLUMN"})
    """The column of times in a table of series. Default: rows are in order."""
    layout: AskedLayout | None = None
    """Of an array: of images NCHW, (N, C, H, W), NHWC, (N, H, W, C), or NHW, (N, H, W),
    which are grey; NTC, (N, T, C), of windows of T steps of C channels. Default: by its
    shape and values."""
    alpha: bool | None = None
    """Whether the fourth channel of images is transparency: what it hides is not
    learned. Default: of a folder, as its files say; of an array, by its values."""
    size: Annotated[int | str | None, Interval(1, MAX_SIDE)] = field(
        default=None, metadata={"metavar": "PIXELS"}
    )
    """What the images of a folder are brought to: 64 for squares, "64x48" for a width
    of 64 pixels and a height of 48. Default: their most common size."""
    crop: Annotated[int | str | None, Interval(0, MAX_SIDE)] = field(
        default=None, metadata={"metavar": "PIXELS", "bare": 0}
    )
    """Cut the middle of each image of a folder out first: 178 for a square, "178x134"
    for a width and a height. Without a number, and by default, the largest part that
    has the proportions of the size."""
    fit: bool = False
    """Keep the whole of each image of a folder, with a border, instead of cropping."""
    tracker: str | None = field(default=None, metadata={"metavar": "NAME"})
    """Also record curves, images, settings and the verdict with tensorboard, wandb,
    mlflow or trackio; several with commas. Nothing leaves this machine unless that
    service is set up to send."""

    def __post_init__(self) -> None:
        validate(self, self._conflicts)

    @property
    def seed_of_split(self) -> int:
        """The seed of the choice of samples that are held out."""
        return self.seed if self.split_seed is None else self.split_seed

    @property
    def has_validation(self) -> bool:
        """Whether half of the held-out samples are a validation split."""
        return self.validation or self.stop_when is not None

    @property
    def images(self) -> ImageOptions:
        """How images are read."""
        from equipoise.data.image_options import ImageOptions
        from equipoise.data.images.form import Resizing

        resizing = Resizing(_pixels(self.size), _pixels(self.crop), self.fit)
        return ImageOptions(self.layout, self.alpha, resizing)

    @property
    def roles(self) -> Roles:
        """Which columns make windows of series of a table."""
        from equipoise.data.series.frames import Roles

        return Roles(self.series, self.time)

    @property
    def columns_by_name(self) -> dict[str, Any] | None:
        """What the user says of columns, once a file has been read (`runs.config`)."""
        return self.columns if isinstance(self.columns, dict) else None

    def _conflicts(self) -> list[str]:
        found = []
        if self.samples is not None and self.minutes is not None:
            both = f"samples = {self.samples} and minutes = {self.minutes}"
            found.append(f"{both}: give one of them")
        if self.fit and self.crop is not None:
            found.append(f"fit and crop = {self.crop}: give one of them; fit crops nothing")
        for name in ("size", "crop"):
            given = getattr(self, name)
            if isinstance(given, str) and _pixels(given) is None:
                found.append(
                    f"{name} = {clipped(repr(given))}: must be a whole number from 1 to "
                    f"{MAX_SIDE}, or width x height, such as 64x48"
                )
        return found

    def updated(self, given: Mapping[str, Any]) -> RunSettings:
        """These settings with those given now; a new length, in samples or in minutes,
        replaces the old one."""
        return RunSettings(**merged(asdict(self), given))


def merged(recorded: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a run by name with those given now; a new length, in samples or in
    minutes, replaces the old one."""
    dropped = LENGTHS if given.keys() & set(LENGTHS) else ()
    kept = {name: value for name, value in recorded.items() if name not in dropped}
    return {**kept, **given}


def differences(
    recorded: Mapping[str, Any], given: Mapping[str, Any], changeable: tuple[str, ...] = ()
) -> list[str]:
    """The settings that were given and differ from the recorded ones, as "name:
    recorded -> given"."""
    return [
        f"{name}: {clipped(repr(recorded.get(name)))} -> {clipped(repr(value))}"
        for name, value in given.items()
        if name not in changeable and _as_json(recorded.get(name)) != _as_json(value)
    ]


def _as_json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _pixels(given: int | str | None) -> tuple[int, int] | None:
    """The (width, height) that a setting names, "64x48" or 64 for a square; None for
    None, 0 and what names no size."""
    if not isinstance(given, str):
        return (given, given) if given else None
    named = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", given)
    if named is None or not all(1 <= int(side) <= MAX_SIDE for side in named.groups()):
        return None
    return int(named[1]), int(named[2])
