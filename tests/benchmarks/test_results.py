"""Result files, and the page that is rendered from them."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.results import Origin, Table, file_name, merged, record, rendered

from benchmarks import results

COMMAND = "python -m benchmarks.speed step"


def test_the_page_of_results_is_what_its_files_render_to() -> None:
    assert results.RENDERED.read_text() == rendered()


def test_every_result_file_is_named_after_its_command() -> None:
    paths = sorted(results.FOLDER.glob("*.json"))
    assert paths
    assert [path.name for path in paths] == [
        file_name(results.read(path).command) for path in paths
    ]


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (COMMAND, "speed-step.json"),
        ("python -m benchmarks.quality ring --seeds 1-4 --lanes 2", "quality-ring-seeds-1-4.json"),
        ("python -m benchmarks.fuzz csv --seconds 300", "fuzz-csv.json"),
        ("python -m benchmarks.faults disk --cases 3 4", "faults-disk-cases-3-4.json"),
    ],
)
def test_a_file_is_named_by_what_was_measured_not_by_how_it_ran(command: str, name: str) -> None:
    assert file_name(command) == name


def test_a_later_run_of_a_command_replaces_its_table(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    for value in "12":
        record(COMMAND, "One thread.", [["a"], [value]], "All met.", folder=folder)
    (path,) = folder.iterdir()
    assert results.read(path).blocks == [Table(["a"], [["2"]]), "All met."]
    page = (tmp_path / "RESULTS.md").read_text()
    assert page == rendered(folder)
    assert f"## `{COMMAND}`" in page
    assert page.endswith("One thread.\n\n| a |\n| --- |\n| 2 |\n\nAll met.\n")


def test_rows_of_several_commits_name_them_all() -> None:
    here, there = Origin("1a", "2 cores"), Origin("2b", "2 cores")
    assert merged([here, there, here]) == Origin("1a, 2b", "2 cores")


def test_a_row_with_a_cell_too_few_is_refused() -> None:
    with pytest.raises(ValueError, match="every row needs 2 cells"):
        Table(["a", "b"], [["1"]])
