"""Every file that is passed over is counted, with the reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from equipoise.data.factory import open_source
from equipoise.data.images.folder import scan
from equipoise.data.images.listing import LeftOut, list_images, note_of

MakeImage = Callable[..., Any]


def test_every_file_that_is_passed_over_is_told_with_its_reason(
    tmp_path: Path, image: MakeImage
) -> None:
    for i in range(4):
        image(tmp_path / f"{i}.png", size=(32, 32), seed=i)
    (tmp_path / "notes.txt").touch()
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/model.onnx").touch()
    (tmp_path / "deep/LICENSE").touch()
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    Image.new("RGB", (4, 4)).save(tmp_path / "tiny.gif")
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "lost.png").symlink_to(tmp_path / "nowhere")
    folder = scan(tmp_path)
    assert [(one.name, str(one)) for one in folder.left_out] == [
        ("again", "not followed: a link to a folder"),
        ("broken.jpg", "unreadable: cannot identify image file"),
        ("deep/LICENSE", "of an unknown ending: none"),
        ("deep/model.onnx", "of an unknown ending: .onnx"),
        ("lost.png", "not followed: a broken link"),
        ("notes.txt", "of an unknown ending: .txt"),
        ("tiny.gif", "too small: 4 x 4 pixels for 32 x 32"),
    ]
    assert folder.all_notes[0] == (
        "7 of 11 files left out: 2 not followed (again: a link to a folder; ...); "
        "1 unreadable (broken.jpg: cannot identify image file); "
        "3 of an unknown ending (.onnx, .txt, none); "
        "1 too small (tiny.gif: 4 x 4 pixels for 32 x 32); "
        "all are listed in left_out.txt of the run"
    )


def test_no_image_is_taken_from_hidden_files_and_folders(tmp_path: Path, image: MakeImage) -> None:
    root = tmp_path / ".cache/images"
    hidden = [".thumbnails/a.png", "._b.png", "__MACOSX/cats/._b.png", "cats/.previews/deep/c.png"]
    for name in ("a.png", "cats/b.png", *hidden):
        image(root / name)
    found = list_images(root)
    assert found.names == ("a.png", "cats/b.png")
    assert sorted(map(str, found.passed_over)) == ["hidden"] * 4
    assert sorted(one.name for one in found.passed_over) == sorted(hidden)


def test_a_source_and_its_run_have_the_whole_list(
    here: Path, image: MakeImage, command: Any
) -> None:
    for i in range(20):
        image(here / f"images/{i}.png", seed=i)
    for i in range(9):
        (here / f"images/{i}.xyz").touch()
    (here / "images/odd\n.xyz").touch()
    assert len(open_source(here / "images").left_out) == 10
    brief = ("--samples", "64", "--batch-size", "16", "--evaluate", "none")
    answer = command("train", "images", "--out", "run", *brief)
    assert "10 of 30 files left out: 10 of an unknown ending (.xyz)" in answer.out
    lines = (here / "run/left_out.txt").read_text().splitlines()
    assert lines[0] == "0.xyz\tof an unknown ending: .xyz"
    assert len(lines) == 10
    assert "odd\\n.xyz\tof an unknown ending: .xyz" in lines


def test_many_endings_and_long_names_do_not_fill_the_note() -> None:
    left_out = [LeftOut(f"{i}", "of an unknown ending", f".{i}") for i in range(9)]
    left_out += [LeftOut("x" * 999, "unreadable", "y")] * 2
    note = note_of(left_out, 5)
    assert "9 of an unknown ending (.0, .1, .2, .3, ...)" in note
    assert len(note) < 400
