"""Films: of a training and of walks, in every format, whole and readable again."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from equipoise import GAN
from equipoise.errors import EquipoiseError, RequestError
from equipoise.plotting import film_files
from equipoise.plotting.film_frames import captioned, smooth, through

RNG = np.random.default_rng(0)


def frames_of(path: Path) -> list[np.ndarray]:
    """The frames of a GIF or WebP; equal ones in a row may be one that lasts longer."""
    with Image.open(path) as film:
        return [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(film)]


@pytest.mark.parametrize("ending", [".gif", ".webp"])
def test_the_film_of_a_training_fades_from_its_first_picture_to_its_last(
    trained_images: Path, tmp_path: Path, ending: str
) -> None:
    path = tmp_path / f"film{ending}"
    assert GAN.load(trained_images).film(path, frames=16, fps=8) == path
    pictures = sorted((trained_images / "samples").glob("*.png"))
    frames = frames_of(path)
    for frame, picture in ((frames[0], pictures[0]), (frames[-1], pictures[-1])):
        with Image.open(picture) as image:
            expected = np.asarray(image.convert("RGB")).astype(float)
        height = expected.shape[0]
        assert frame.shape[0] > height  # the caption is below
        assert np.abs(frame[:height] - expected).mean() < (1 if ending == ".gif" else 12)


def test_an_mp4_has_all_frames_in_even_sides(trained_images: Path, tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    path = GAN.load(trained_images).film(tmp_path / "film.mp4", "walk", frames=7, size=101)
    with av.open(str(path)) as film:
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(frames) == 7
    assert frames[0].shape[1] == 102
    assert frames[0].shape[0] % 2 == 0


def test_points_move_from_each_moment_to_the_next_on_axes_that_stay(
    trained: Path, tmp_path: Path
) -> None:
    points = sorted((trained / "samples").glob("*.npy"))
    assert [path.with_suffix(".png").is_file() for path in points] == [True, True]
    assert np.load(points[0]).shape[1] == 1
    frames = frames_of(GAN.load(trained).film(tmp_path / "film.gif", frames=6))
    assert len({frame.shape for frame in frames}) == 1
    assert len(frames) > 2  # and not two pictures alone


def test_points_that_are_missing_leave_the_pictures(trained: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    next((run / "samples").glob("*.npy")).unlink()
    assert len(frames_of(GAN.load(run).film(tmp_path / "film.gif", frames=6))) > 2


def test_a_walk_is_closed_and_the_same_for_a_seed(trained_images: Path, tmp_path: Path) -> None:
    gan = GAN.load(trained_images)
    a, b, c = (
        gan.film(tmp_path / f"{i}.gif", "walk", frames=6, seed=seed, label="dark").read_bytes()
        for i, seed in enumerate([1, 1, 2])
    )
    assert a == b
    assert a != c


def test_wrong_requests_are_all_told_in_one_line(trained: Path, tmp_path: Path) -> None:
    gan = GAN.load(trained)
    with pytest.raises(RequestError, match=r"kind = 'x'.*fps = 0.*size = 1:.*must end in"):
        gan.film(tmp_path / "film.avi", "x", fps=0, size=1)
    with pytest.raises(RequestError, match="truncation: for films of the kind walk"):
        gan.film(tmp_path / "film.gif", truncation=0.5)
    with pytest.raises(RequestError, match="seed: for films of the kind walk"):
        gan.film(tmp_path / "film.gif", seed=0)
    points = GAN("classic", samples=32, batch_size=16, evaluate="none")
    points.fit(RNG.normal(size=(64, 3)), progress=False)
    with pytest.raises(RequestError, match="a GAN in memory has no pictures"):
        points.film(tmp_path / "film.gif")
    with pytest.raises(RequestError, match="is for images, windows"):
        points.film(tmp_path / "film.gif", "walk")
    assert list(tmp_path.iterdir()) == []


def test_a_film_that_memory_has_no_room_for_is_refused(
    trained_images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(film_files, "available_memory", lambda: 2**20)
    with pytest.raises(RequestError, match="give fewer, a smaller size"):
        GAN.load(trained_images).film(tmp_path / "film.gif", "walk", frames=1000)
    assert list(tmp_path.iterdir()) == []


def test_without_pyav_an_mp4_is_refused_with_what_installs_it(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(film_files, "find_spec", lambda _: None)
    with pytest.raises(RequestError, match=r"pip install 'equipoise\[film\]'"):
        GAN.load(trained).film(tmp_path / "film.mp4")


def test_a_damaged_picture_is_named_and_no_film_is_left(
    trained_images: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained_images, run)
    picture = min((run / "samples").glob("*.png"))
    picture.write_bytes(picture.read_bytes()[:100])
    with pytest.raises(EquipoiseError, match=f"{picture.name} cannot be read"):
        GAN.load(run).film(tmp_path / "film.gif")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_frames_go_through_all_moments_and_end_at_the_last() -> None:
    times = list(through(3, 10, held=3))
    assert times[0] == 0
    assert times[-4:] == [2, 2, 2, 2]
    assert len(times) == 10
    assert list(through(1, 3, held=0)) == [0, 0, 0]
    assert [smooth(t) for t in (-1, 0, 0.5, 1, 2)] == [0, 0, 0.5, 1, 1]


def test_a_caption_is_below_and_never_wider_than_the_image() -> None:
    image = Image.new("RGB", (200, 50), "red")
    frame = np.asarray(captioned(image, "a" * 60, 0.5))
    assert (frame[:50] == [255, 0, 0]).all()
    assert (frame[50:-4, -2:] == 255).all()
    assert not (frame[50:-4] == 255).all()
    assert not np.array_equal(frame[-1, 10], frame[-1, -10])  # the bar is half full
