"""Which tars a path names."""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise.data.tars.patterns import expanded, shards_of, title_of
from equipoise.errors import RequestError


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("a.tar", ["a.tar"]),
        ("a-{08..11}.tar", ["a-08.tar", "a-09.tar", "a-10.tar", "a-11.tar"]),
        ("a-{8..11}.tar", ["a-8.tar", "a-9.tar", "a-10.tar", "a-11.tar"]),
        ("{a,b}-{0..1}.tar", ["a-0.tar", "a-1.tar", "b-0.tar", "b-1.tar"]),
        ("a{}.tar", ["a{}.tar"]),
        ("a{3..1}.tar", []),
    ],
)
def test_braces_are_expanded_as_shells_do(pattern: str, names: list[str]) -> None:
    assert [*expanded(pattern)] == names


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_a_folder_of_tars_is_all_of_them_in_order_beside_files_that_are_passed_over(
    tmp_path: Path,
) -> None:
    folder = touch(tmp_path, "b.tar", "a.TAR", "index.json", ".x.tar", "_SUCCESS", ".cache/a.png")
    shards, others = shards_of(folder)
    assert [path.name for path in shards] == ["a.TAR", "b.tar"]
    assert [one.name for one in others] == [".cache", ".x.tar", "_SUCCESS", "index.json"]
    assert [str(one) for one in others] == [*["hidden"] * 3, "of an unknown ending: .json"]


@pytest.mark.parametrize("beside", ["a.png", "below/a.png"])
def test_a_tar_among_images_does_not_make_a_folder_one_of_tars(tmp_path: Path, beside: str) -> None:
    assert shards_of(touch(tmp_path, "a.tar", beside)) == ([], ())


@pytest.mark.parametrize(
    ("names", "given", "message"),
    [
        (["a.tar.gz"], "a.tar.gz", "a.tar.gz is compressed.*unpack it first"),
        (["a.tar.gz", "b.tar"], "", "a.tar.gz is compressed.*unpack the shards first"),
        (["a-0.tar"], "a-{0..2}.tar", "2 of 3 files are not there, the first .*a-1.tar"),
        ([], "a-{0..2}.zip", "braces are for .tar files"),
        ([], "a-{0..999999999}.tar", "names more than 100,000 files"),
        ([], "a-{2..1}.tar", "names no files"),
        ([], "{1..9999}{1..9999}{1..9999}.tar", "names more than 100,000 files"),
    ],
)
def test_what_names_no_tars_that_can_be_read_is_refused(
    tmp_path: Path, names: list[str], given: str, message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        shards_of(touch(tmp_path, *names) / given)


@pytest.mark.parametrize(
    ("path", "title"),
    [("x/shard-{000..009}.tar", "shard"), ("x/train.tar", "train"), ("x/{0..9}.tar", "x")],
)
def test_runs_are_named_after_the_tars(path: str, title: str) -> None:
    assert title_of(Path(path)) == title
