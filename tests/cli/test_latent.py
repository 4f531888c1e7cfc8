"""`equipoise latent`, `film` and `sample --truncation`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.helpers import Answer

from equipoise import GAN

Command = Callable[..., Answer]


def test_interpolate_prints_points_and_writes_images(
    command: Command, trained: Path, trained_images: Path, tmp_path: Path
) -> None:
    gan = GAN.load(trained)
    answer = command("latent", str(trained), "interpolate", "--between", "2", "5", "--seed", "3")
    printed = np.array([float(line) for line in answer.out.splitlines()])
    assert len(printed) == 9
    assert printed[0] == pytest.approx(gan.sample(6, seed=3)[2])  # type: ignore[index]  # an array
    out = tmp_path / "walk.png"
    run = str(trained_images)
    assert command("latent", "interpolate", run, "--out", str(out)).status == 0
    assert Image.open(out).size[0] > 9 * 8
    npy = tmp_path / "walk.npy"
    assert command("latent", run, "interpolate", "--steps", "4", "--out", str(npy)).status == 0
    assert np.load(npy).shape == (4, 8, 8)


def test_directions_are_listed_and_drawn(
    command: Command, trained_images: Path, tmp_path: Path
) -> None:
    out = tmp_path / "directions.png"
    answer = command("latent", str(trained_images), "directions", "-k", "3", "--out", str(out))
    assert answer.status == 0
    assert answer.out.count("%") == 3
    assert Image.open(out).size[1] > 3 * 8
    npz = tmp_path / "directions.npz"
    command("latent", str(trained_images), "directions", "-k", "3", "--out", str(npz))
    with np.load(npz) as found:
        assert found["vectors"].shape[0] == len(found["explained"]) == 3


def test_invert_reads_images_and_says_how_near_it_came(
    command: Command, trained_images: Path, tmp_path: Path
) -> None:
    run, images = str(trained_images), tmp_path / "images"
    assert command("sample", run, "-n", "2", "--seed", "1", "--out", str(images)).status == 0
    out = tmp_path / "found.png"
    arguments = ["latent", run, "invert", "--data", str(images), "--steps", "5"]
    answer = command(*arguments, "--out", str(out))
    assert answer.status == 0, answer.err
    assert "of that to the mean sample" in answer.out
    assert out.is_file()
    npz = tmp_path / "found.npz"
    (one,) = list(images.rglob("*.png"))[:1]
    of_one = ["--data", str(one), "--steps", "5", "--out", str(npz)]
    assert command(*arguments[:3], *of_one).status == 0
    with np.load(npz) as found:
        assert len(found["z"]) == len(found["errors"]) == 1


def test_nearest_lists_distances(command: Command, trained_images: Path, tmp_path: Path) -> None:
    out = tmp_path / "nearest.png"
    answer = command(
        "latent", str(trained_images), "nearest", "-n", "2", "-k", "3", "--out", str(out)
    )
    assert answer.status == 0, answer.err
    assert [len(line.split()) for line in answer.out.splitlines()[1:3]] == [4, 4]
    assert out.is_file()


def test_truncation_is_that_of_python_in_every_kind_of_file(
    command: Command, trained: Path, trained_images: Path, tmp_path: Path
) -> None:
    asked = ["-n", "4", "--seed", "1", "--truncation", "0.5"]
    npy, folder = tmp_path / "x.npy", tmp_path / "shards"
    command("sample", str(trained), *asked, "--out", str(npy))
    assert np.array_equal(np.load(npy), GAN.load(trained).sample(4, seed=1, truncation=0.5))  # type: ignore[arg-type]  # an array
    assert command("sample", str(trained), *asked, "--out", str(folder)).status == 0
    other = command("sample", str(trained), *asked[:-1], "0.6", "--out", str(folder))
    assert "holds samples with truncation 0.5, not 0.6" in other.err
    assert command("sample", str(trained_images), *asked, "--out", f"{tmp_path}/x.png").status == 0


def test_a_film_is_written_into_the_run_unless_it_has_a_place(
    command: Command, trained_images: Path, tmp_path: Path
) -> None:
    out = tmp_path / "film.webp"
    answer = command("film", str(trained_images), "--frames", "4", "--out", str(out))
    assert answer.out == f"Wrote {out}\n"
    walk = command("film", str(trained_images), "--kind", "walk", "--frames", "2", "--size", "32")
    assert walk.out == f"Wrote {trained_images / 'walk.gif'}\n"
    (trained_images / "walk.gif").unlink()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["latent"], "needs a run directory and one of interpolate"),
        (["latent", "RUN"], "needs a run directory and one of interpolate"),
        (["latent", "RUN", "direction"], "did you mean 'directions'?"),
        (["latent", "RUN", "interpolate", "--between", "1"], "must be two numbers"),
        (["latent", "RUN", "interpolate", "--out", "x.pdf"], "must end in .npy"),
        (["latent", "RUN", "invert"], "needs --data"),
        (["latent", "RUN", "invert", "--data", "/nowhere"], "there is no such file"),
        (["latent", "RUN", "directions", "--out", "x.png"], ".png is for images"),
        (["latent", "RUN", "nearest", "-n", "0"], "must be at least 1"),
        (["latent", "RUN", "nearest"], "drawn anew"),
        (["film", "RUN", "--out", "nowhere/x.gif"], "there is no folder nowhere"),
        (["film", "RUN", "--out", "x.avi"], "must end in .gif, .webp, .mp4"),
        (["sample", "RUN", "--truncation", "-1"], "must be from 0"),
    ],
)
def test_a_wrong_request_is_one_line(
    command: Command, trained: Path, here: Path, arguments: list[str], told: str
) -> None:
    answer = command(*(str(trained) if word == "RUN" else word for word in arguments))
    assert answer.status == 2
    assert told in answer.err
    assert answer.err.count("\n") == 1
    assert list(here.iterdir()) == []


def test_help_lists_what_there_is(command: Command) -> None:
    assert "directions" in command("latent", "--help").out
    assert "--between" in command("latent", "interpolate", "--help").out
    assert "--kind" in command("film", "--help").out
    assert "--truncation" in command("sample", "--help").out
