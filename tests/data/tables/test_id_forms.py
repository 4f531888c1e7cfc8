from __future__ import annotations

import re
import uuid

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.data.tables.id_forms import (
    Code,
    Serial,
    find_code,
    find_form,
    find_serial,
    serial_of_numbers,
)

ROWS = np.arange(500)


@pytest.mark.parametrize(
    ("texts", "serial"),
    [
        (["C-00001", "C-00012"], Serial(13, 1, "C-", "", 5)),
        (["C-1", "C-12"], Serial(13, 1, "C-")),
        (["INV-2024-0009", "INV-2024-0010"], Serial(11, 1, "INV-2024-", "", 4)),
        (["7a", "12a"], Serial(13, 1, "", "a")),
        (["10", "12"], Serial(13, 1, width=2)),
        (["99", "100"], Serial(101)),
    ],
)
def test_ids_that_count_up(texts: list[str], serial: Serial) -> None:
    assert find_serial(texts) == serial


@pytest.mark.parametrize(
    "texts",
    [["a", "b"], ["A1", "B2"], ["1.5", "2.25"], ["007", "12"], ["x" * 30 + "1", "x" * 30 + "2"],
     ["", "1"], ["²", "³"], ["1" * 19, "2" * 19]],
)  # fmt: skip
def test_other_texts_do_not_count_up(texts: list[str]) -> None:
    assert find_serial(texts) is None


def test_new_ids_go_on_after_the_last() -> None:
    assert Serial(13, 1, "C-", "", 5).texts(ROWS[:2]) == ["C-00013", "C-00014"]
    assert Serial(99_999, width=5).texts(ROWS[:2]) == ["99999", "100000"]


def test_where_there_is_no_room_after_the_last_ids_fill_the_largest_gap() -> None:
    assert serial_of_numbers(np.array([1, 5])).first == 6
    assert serial_of_numbers(np.array([5, 2**63 - 1])).first == 6
    assert serial_of_numbers(np.array([5, 2**64 - 1], np.uint64)).first == 6
    assert serial_of_numbers(np.array([2**63 + 9, 2**64 - 1], np.uint64)).first == 0
    assert serial_of_numbers(np.array([-9, 2**63 - 1])).first == -8


FORMS = {
    "UUID": lambda rng: str(uuid.UUID(bytes=rng.bytes(16), version=4)),
    "capital UUID": lambda rng: str(uuid.UUID(bytes=rng.bytes(16), version=4)).upper(),
    "SHA-1": lambda rng: rng.bytes(20).hex(),
    "capital hexadecimal": lambda rng: rng.bytes(6).hex().upper(),
    "order": lambda rng: "".join(rng.choice([*"ABCDEFGHJKLMNPQRSTUVWXYZ23456789"], 8)),
    "phone": lambda rng: f"4915{rng.integers(10**9):09d}",
    "part": lambda rng: f"AB-{rng.integers(10**6):06d}-{rng.integers(10**6):06d}",
}
PATTERNS = {
    "UUID": r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    "capital UUID": r"[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}",
    "SHA-1": r"[0-9a-f]{40}",
    "capital hexadecimal": r"[0-9A-F]{12}",
    "order": r"[A-Z0-9]{8}",
    "phone": r"4915\d{9}",
    "part": r"AB-\d{6}-\d{6}",
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("rows", [12, 3_000])
def test_codes_are_made_anew_in_their_form_and_never_one_of_the_table(name: str, rows: int) -> None:
    rng = np.random.default_rng(rows)
    texts = list({FORMS[name](rng) for _ in range(rows)})
    form = find_form(texts)
    assert isinstance(form, Code)
    assert form.is_valid
    made = form.texts(np.arange(5_000), seed=1)
    assert len(set(made)) == 5_000
    assert not set(made) & set(texts)
    assert all(re.fullmatch(PATTERNS[name], text) for text in made)
    assert form.texts(np.arange(700, 710), seed=1) == made[700:710]
    assert form.texts(np.arange(100), seed=2) != made[:100]


@given(
    st.lists(
        st.text(alphabet="0123456789ABCDEF", min_size=9, max_size=9),
        min_size=10,
        max_size=60,
        unique=True,
    )
)
def test_no_new_code_is_ever_one_of_the_table(texts: list[str]) -> None:
    form = find_code(texts)
    if form is None:
        return
    assert not any(text.endswith(form.endings) for text in texts)


def test_a_column_of_words_is_no_code() -> None:
    assert find_code(["alice", "bobby", "carol", "david"]) is None
    assert find_code(["2024-01-31", "2023-12-24"]) is None, "too few of that form"
    assert find_code(["A1", "B2", "C3"]) is None
    assert find_code(["A1é4567890123", "B2é4567890124"]) is None


def test_new_addresses_are_nobodys() -> None:
    form = find_form([f"person.{i}@mail.org" for i in range(50)])
    assert isinstance(form, Code)
    made = form.texts(ROWS, seed=0)
    assert all(re.fullmatch(r"[a-z]{10}@example\.com", text) for text in made)
    assert len(set(made)) == 500
    other = find_form([f"p{i}@example.com" for i in range(50)])
    assert isinstance(other, Code)
    assert other.texts(ROWS[:1], seed=0)[0].endswith("@example.org")
