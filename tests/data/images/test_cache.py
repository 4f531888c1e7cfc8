from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import numpy as np
import pytest
from PIL import Image

from equipoise.data.images import cache, folder
from equipoise.data.images.cache import Decoded, NotCachedError, decoded
from equipoise.data.images.decode import Taken
from equipoise.data.images.folder import scan
from equipoise.data.images.listing import Listing, list_images
from equipoise.data.images.sums import sums_of

MakeImage = Callable[..., np.ndarray[Any, Any]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that images are kept in."""
    monkeypatch.setattr(cache, "data_home", lambda: tmp_path / "home")
    return tmp_path / "home" / "images"


@pytest.fixture
def images(home: Path, tmp_path: Path, image: MakeImage) -> Path:
    """A folder of ten images in two classes, none of them kept yet."""
    assert not home.exists()
    for i in range(10):
        image(tmp_path / f"images/{'ab'[i % 2]}/{i}.png", size=(6, 5), seed=i)
    return tmp_path / "images"


def refuse(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """From now on, nothing may be decoded ("take"), or not even read ("digest") but for
    the few files that are compared."""
    left, read = iter(range(cache.COMPARED_FILES)), cache.digest

    def refused(path: Path, *_: object, **__: object) -> NoReturn:
        raise AssertionError(f"{path} is looked at again")

    def seldom(path: Path) -> str | None:
        return refused(path) if next(left, None) is None else read(path)

    for name in names:
        monkeypatch.setattr(cache, name, seldom if name == "digest" else refused)


def check(found: Decoded, root: Path) -> None:
    """What is kept is what decoding the folder afresh gives."""
    fresh = scan(root)
    assert found.folder == fresh
    np.testing.assert_array_equal(found.values(), fresh.read(list(range(len(fresh)))))
    np.testing.assert_array_equal(found.sums, sums_of(found.values()))


def test_what_is_kept_is_what_is_decoded_and_the_second_time_hardly_a_file_is_read(
    home: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = decoded(images)
    check(first, images)
    assert first.pixels.is_relative_to(home)
    refuse(monkeypatch, "take", "digest")
    check(decoded(images), images)


@pytest.mark.parametrize("how", ["touched", "copied", "moved"])
def test_the_same_content_elsewhere_or_at_another_time_is_read_once_and_not_decoded(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    first, place = decoded(images), images
    if how == "touched":
        os.utime(images / "a/0.png", ns=(1, 1))
    elif how == "copied":
        place = shutil.copytree(images, tmp_path / "elsewhere", copy_function=shutil.copy)
    else:
        place = images.rename(tmp_path / "elsewhere")
    refuse(monkeypatch, "take")
    again = decoded(place)
    assert (again.folder.content, again.pixels) == (first.folder.content, first.pixels)
    check(again, place)
    refuse(monkeypatch, "digest")
    check(decoded(place), place)


def test_other_bytes_or_another_name_are_other_content(images: Path, image: MakeImage) -> None:
    contents = [decoded(images).folder.content]
    size = (images / "a/0.png").stat().st_size
    for seed in range(100, 400):  # another image, in as many bytes
        image(images / "a/0.png", size=(6, 5), seed=seed)
        if (images / "a/0.png").stat().st_size == size:
            break
    contents.append(decoded(images).folder.content)
    (images / "a/0.png").rename(images / "b/0.png")
    contents.append(decoded(images).folder.content)
    assert len(set(contents)) == 3
    check(decoded(images), images)


def another(path: Path) -> bytes:
    """A PNG of the size of the image in a file, in as many bytes, with other pixels."""
    held = np.asarray(Image.open(path))
    for shift in range(1, 256):
        made = io.BytesIO()
        Image.fromarray((held + shift).astype(np.uint8)).save(made, "PNG")
        if len(made.getvalue()) == path.stat().st_size:
            return made.getvalue()
    raise AssertionError(f"no other image has the size of {path}")


def look(path: Path) -> tuple[int, int]:
    return path.stat().st_size, path.stat().st_mtime_ns


@pytest.mark.parametrize("how", ["written over", "renamed from a sibling"])
@pytest.mark.parametrize("name", ["a/0.png", "b/5.png"])
def test_a_image_that_was_replaced_with_its_size_and_time_kept_is_noticed(
    images: Path, tmp_path: Path, how: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "_some_of", lambda _: [])  # the state alone must show it
    path, before = images / name, decoded(images)
    kept = look(path)
    target = path if how == "written over" else tmp_path / "sibling.png"
    target.write_bytes(another(path))
    os.utime(target, ns=(kept[1], kept[1]))
    target.replace(path)
    assert look(path) == kept
    after = decoded(images)
    assert after.folder.content != before.folder.content
    check(after, images)


def test_a_set_that_was_replaced_where_no_inode_changes_is_noticed(
    images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bare(root: Path, *_: object) -> Listing:
        """As on a file system that keeps neither the inode's time nor its number."""
        found = list_images(root)
        return replace(found, states=tuple((state[0], 0, 0) for state in found.states))

    monkeypatch.setattr(cache, "list_images", bare)
    before, kept = decoded(images), {path: look(path) for path in images.rglob("*.png")}
    for path in kept:
        content = another(path)
        path.write_bytes(content)
        os.utime(path, ns=(kept[path][1], kept[path][1]))
    assert {path: look(path) for path in kept} == kept
    after = decoded(images)
    assert after.folder.content != before.folder.content
    check(after, images)


def test_the_sums_are_those_of_each_image() -> None:
    for dtype in (np.uint8, np.uint16):
        values = (
            np.random.default_rng(0)
            .integers(0, np.iinfo(dtype).max + 1, (7, 3, 9, 5))
            .astype(dtype)
        )
        expected = [
            [sum(map(int, one.flat)), sum(int(value) ** 2 for value in one.flat)] for one in values
        ]
        assert sums_of(values).tolist() == expected


def test_sums_are_exact_of_images_taken_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).integers(0, 256, (3, 40)).astype(np.uint8)
    whole = sums_of(values)
    monkeypatch.setattr("equipoise.data.images.sums.BLOCK_VALUES", 30)
    np.testing.assert_array_equal(sums_of(values), whole)


@pytest.mark.parametrize("first", ["L", "I;16"])
@pytest.mark.usefixtures("home")
def test_a_first_look_that_was_wrong_is_put_right(
    tmp_path: Path, image: MakeImage, first: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr(cache, "FORM_FILES", 1)
    image(tmp_path / "p/0.png", first, (9, 4))
    for i in range(1, 6):
        image(tmp_path / f"p/{i}.png", "RGBA" if i == 4 else "RGB", seed=i)
    found = decoded(tmp_path / "p")
    assert (found.folder.shape, found.folder.dtype) == ((4, 8, 8), "uint8")
    check(found, tmp_path / "p")


@pytest.mark.usefixtures("home")
def test_sixteen_bits_are_kept(tmp_path: Path, image: MakeImage) -> None:
    pixels = [image(tmp_path / f"p/{i}.png", "I;16", seed=i) for i in range(3)]
    np.testing.assert_array_equal(decoded(tmp_path / "p").values()[:, 0], pixels)


@pytest.mark.parametrize("damaged", [["a/0.png"], ["b/3.png", "b/9.png"]])
def test_a_truncated_image_is_left_out_and_the_others_keep_their_places(
    images: Path, damaged: list[str]
) -> None:
    for name in damaged:
        whole = (images / name).read_bytes()
        (images / name).write_bytes(whole[: len(whole) // 2])
    for _ in range(2):
        found = decoded(images)
        assert (
            f"{len(damaged)} of 10 files left out: {len(damaged)} unreadable ({damaged[0]}: "
            in (found.folder.all_notes[0])
        )
        assert len(found.values()) == len(found.sums) == 10 - len(damaged)
        check(found, images)


def spoil(place: Path, how: str) -> None:
    """Damage what is kept."""
    description = json.loads((place / cache.DESCRIPTION).read_text())
    if how == "a pixel file cut off":
        os.truncate(place / "pixels", 100)
    elif how == "pixels that are zero":
        (place / "pixels").write_bytes(bytes((place / "pixels").stat().st_size))
    elif how == "sums of others":
        (place / "sums").write_bytes((place / "sums").read_bytes()[::-1])
    elif how == "sums missing":
        (place / "sums").unlink()
    elif how == "no description":
        (place / cache.DESCRIPTION).write_text("{")
    elif how == "a description that is none":
        (place / cache.DESCRIPTION).write_text("[1]")
    elif how == "a description that was changed":
        (place / cache.DESCRIPTION).write_text(json.dumps({**description, "notes": ["another"]}))
    elif how == "another format":
        del description["sha256"]
        description["format"] = cache.FORMAT + 1
        digest = hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()
        (place / cache.DESCRIPTION).write_text(json.dumps({**description, "sha256": digest}))


@pytest.mark.parametrize(
    "how",
    [
        "a pixel file cut off",
        "pixels that are zero",
        "sums of others",
        "sums missing",
        "no description",
        "a description that is none",
        "a description that was changed",
        "another format",
    ],
)
def test_damage_is_noticed_and_made_good(home: Path, images: Path, how: str) -> None:
    place = decoded(images).pixels.parent
    spoil(place, how)
    check(decoded(images), images)
    assert {path.name for path in home.iterdir()} == {place.name, "listings"}


@pytest.mark.parametrize(
    "written",
    ["", "[]", "{}", '{"content": 3}', '{"content": "gone"}', '{"content": "gone", "some": 3}'],
)
def test_an_entry_that_says_nothing_is_made_again(
    home: Path, images: Path, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    decoded(images)
    (entry,) = home.glob("listings/*/*.json")
    entry.write_text(written)
    refuse(monkeypatch, "take")
    check(decoded(images), images)
    refuse(monkeypatch, "digest")
    check(decoded(images), images)


def test_all_of_it_may_be_deleted(home: Path, images: Path) -> None:
    place = decoded(images).pixels.parent
    shutil.rmtree(place)
    check(decoded(images), images)
    shutil.rmtree(home)
    check(decoded(images), images)


def test_images_that_are_deleted_while_they_are_mapped_stay_readable(
    home: Path, images: Path
) -> None:
    found = decoded(images)
    values = found.values(at_random=True)
    expected = scan(images).read(list(range(10)))
    shutil.rmtree(home)
    np.testing.assert_array_equal(values, expected)


def test_two_that_keep_the_same_folder_at_once_both_succeed(
    home: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe, inner = cache._describe, []

    def describe_late(*given: Any) -> None:
        """Another process has finished before this one has."""
        if not inner:
            inner.append(None)
            inner[0] = decoded(images)
        describe(*given)

    monkeypatch.setattr(cache, "_describe", describe_late)
    outer = decoded(images)
    assert inner[0].pixels == outer.pixels
    check(outer, images)
    assert len(list(home.iterdir())) == 2


def test_many_at_once_all_succeed(home: Path, images: Path) -> None:
    found, barrier = [], threading.Barrier(4)

    def keep() -> None:
        barrier.wait(600)
        found.append(decoded(images))

    threads = [threading.Thread(target=keep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(600)
    assert len(found) == 4
    for one in found:
        check(one, images)
    assert len(list(home.iterdir())) == 2


def test_what_is_interrupted_leaves_nothing_behind(
    home: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(cache, "sums_of", interrupted)
    with pytest.raises(KeyboardInterrupt):
        decoded(images)
    assert not list(home.iterdir())


def test_what_was_killed_long_ago_is_swept_away_and_what_is_under_way_is_not(
    home: Path, images: Path
) -> None:
    for name in (".making-1-old", ".making-2-new"):
        (home / name).mkdir(parents=True)
        (home / name / "pixels").write_bytes(b"half")
    for path in (home / ".making-1-old", home / ".making-1-old" / "pixels"):
        os.utime(path, (1, 1))
    decoded(images)
    assert [path.name for path in home.glob(".making-*")] == [".making-2-new"]


def test_a_file_whose_bytes_cannot_be_had_is_asked_for_again(
    home: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = cache.take

    def barred(path: Path, *form: Any, **named: Any) -> Taken:
        return (
            Taken("Permission denied", None) if path.name == "0.png" else take(path, *form, **named)
        )

    monkeypatch.setattr(cache, "take", barred)
    note = "1 of 10 files left out: 1 unreadable (a/0.png: Permission denied)"
    assert note in decoded(images).folder.all_notes
    monkeypatch.undo()
    monkeypatch.setattr(cache, "data_home", lambda: home.parent)
    check(decoded(images), images)


def test_without_room_nothing_is_decoded_and_it_says_how_much_is_needed(
    home: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2**20))
    with pytest.raises(
        NotCachedError,
        match=r"not cached: .*images has 0\.0 GiB to spare and they need 0\.0 GiB; "
        "make room, or set",
    ):
        decoded(images)
    assert not list(home.iterdir())


def test_where_nothing_can_be_written_it_says_so(home: Path, images: Path) -> None:
    home.parent.write_bytes(b"a file")
    with pytest.raises(
        NotCachedError, match=r"decoded images cannot be cached in .*images: Not a directory"
    ):
        decoded(images)


def test_decoding_and_reading_show_progress(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    progress: list[tuple[str, int]] = []

    @contextmanager
    def bar(what: str, total: int) -> Any:
        progress.append((what, total))
        yield lambda more: progress.append((what, progress.pop()[1] - more))

    monkeypatch.setattr(folder, "bar", bar)
    decoded(images)
    os.utime(images / "a/0.png", ns=(1, 1))
    decoded(images)
    assert progress == [("Decoding images", 0), ("Reading images", 0)]  # what is left to do
