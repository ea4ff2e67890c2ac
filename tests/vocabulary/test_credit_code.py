"""Credit codes against the standard worked digit by digit, known codes, and wrong ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratemod.errors import BookError
from ratemod.vocabulary.codes.credit_code import ALPHABET, check_character, is_valid, make

KNOWN = "91350100M000100Y43"  # quoted in many public descriptions of GB 32100-2015
WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)  # as the standard prints them


def plain_check(code17):
    total = sum(ALPHABET.index(letter) * weight for letter, weight in zip(code17, WEIGHTS))
    return ALPHABET[(31 - total % 31) % 31]


def plain_organisation_check(body):
    total = sum(int(letter, 36) * weight for letter, weight in zip(body, (3, 7, 9, 10, 5, 8, 4, 2)))
    return {10: "X", 11: "0"}.get(11 - total % 11, str(11 - total % 11))


def plain_is_valid(code):
    if code is None or len(code) != 18 or set(code) - set(ALPHABET) or set(code[2:8]) - set("0123456789"):
        return False
    return code[16] == plain_organisation_check(code[8:16]) and code[17] == plain_check(code[:17])


def test_a_known_code():
    assert plain_is_valid(KNOWN)
    assert is_valid([KNOWN]).tolist() == [True]
    assert check_character([KNOWN[:17]]).tolist() == ["3"]


def test_every_other_character_at_every_place_is_wrong():
    changed = [KNOWN[:at] + letter + KNOWN[at + 1 :] for at in range(18) for letter in ALPHABET if letter != KNOWN[at]]
    assert len(changed) == 18 * 30 and not is_valid(changed).any()


@pytest.mark.parametrize(
    "code",
    [
        None,
        "",
        KNOWN[:17],
        KNOWN + "0",
        KNOWN.lower(),
        " " + KNOWN[1:],
        KNOWN + " ",
        "I" + KNOWN[1:],
        "九" * 6,
        "é" * 9,
    ],
)
def test_what_is_not_a_code_is_not_valid_and_troubles_no_neighbour(code):
    assert is_valid([KNOWN, code, KNOWN]).tolist() == [True, False, True]


letters = st.text(ALPHABET + "IOSVZa九", min_size=16, max_size=19)
sound = st.builds(
    lambda two, region, body: (lambda head: head + plain_check(head))(
        two + region + body + plain_organisation_check(body)
    ),
    st.text(ALPHABET, min_size=2, max_size=2),
    st.text("0123456789", min_size=6, max_size=6),
    st.text(ALPHABET, min_size=8, max_size=8),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.one_of(st.none(), letters, sound), max_size=20))
def test_agrees_with_the_standard_code_by_code(codes):
    assert is_valid(codes).tolist() == [plain_is_valid(code) for code in codes]
    heads = [code and code[:17] for code in codes]
    wanted = [
        plain_check(head)
        if head and len(head) == 17 and not set(head) - set(ALPHABET) and not set(head[2:8]) - set("0123456789")
        else ""
        for head in heads
    ]
    assert check_character(heads).tolist() == wanted


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 99_999_999), max_size=30))
def test_made_codes_are_valid_and_carry_their_number(numbers):
    codes = make("91000000", np.array(numbers, dtype=np.int64))
    assert is_valid(codes).all() and all(plain_is_valid(code) for code in codes.tolist())
    assert [int(code[8:16]) for code in codes.tolist()] == numbers
    assert all(code[2:8] == "000000" for code in codes.tolist())


def test_both_ends_of_the_numbers_and_check_characters_x_and_zero():
    codes = make("91000000", np.arange(200)).tolist()
    assert {"X", "0"} <= {code[16] for code in codes}
    assert is_valid(make("91000000", [0, 99_999_999])).all()


def test_a_slice_of_an_array_is_read_from_its_own_beginning():
    pa = pytest.importorskip("pyarrow")
    texts = pa.array(["x" * 18, KNOWN, KNOWN[:17] + "4"])
    assert is_valid(texts[1:]).tolist() == [True, False]
    assert is_valid(pa.chunked_array([texts[:1], texts[1:]])).tolist() == [False, True, False]


@pytest.mark.parametrize("prefix", ["9100000", "910000000", "9I000000", "91A00000", "", "九1000000"])
def test_a_beginning_that_no_code_has_is_refused(prefix):
    with pytest.raises(BookError) as caught:
        make(prefix, [1])
    assert [found.code for found in caught.value.problems] == ["RM280"]


@pytest.mark.parametrize(("numbers", "count"), [([-1, 5, 100_000_000], 2), ([1.5, 2.0], 2), ([float("nan")], 1)])
def test_numbers_out_of_range_are_refused_and_counted_never_cut(numbers, count):
    with pytest.raises(BookError) as caught:
        make("91000000", numbers)
    assert [(found.code, found.count) for found in caught.value.problems] == [("RM281", count)]
    for lang in ("zh", "en"):
        assert "99999999" in caught.value.problems[0].line(lang)
