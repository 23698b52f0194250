"""Spellings of names, and the distance between two."""

import re

from hypothesis import given
from hypothesis import strategies as st

from wfc.text.names import camel, counted, distance, kebab, listed, nearest, pascal, snake, spaced, words

NAMES = st.from_regex(re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,12}", re.ASCII), fullmatch=True)
SHORT = st.text(alphabet="abc", max_size=6)


@given(NAMES)
def test_a_spelling_of_a_spelling_is_itself(name: str) -> None:
    assert kebab(kebab(name)) == kebab(name)
    assert snake(snake(name)) == snake(name)
    assert spaced(spaced(name)) == spaced(name)
    assert pascal(pascal(name)) == pascal(pascal(pascal(name)))
    assert kebab(snake(name)) == kebab(name)


@given(NAMES)
def test_spellings_keep_all_letters_and_digits(name: str) -> None:
    kept = name.replace("_", "").lower() or name
    assert "".join(words(name)) == kept
    assert camel(name).replace("_", "").lower() == kept.replace("_", "")


@given(SHORT, SHORT)
def test_distance_is_symmetric_and_nothing_only_to_itself(a: str, b: str) -> None:
    assert distance(a, b, 10) == distance(b, a, 10)
    assert (distance(a, b, 10) == 0) == (a == b)
    assert distance(a, b, 10) >= abs(len(a) - len(b))


@given(SHORT, SHORT, st.integers(0, 6))
def test_a_limit_only_cuts_off(a: str, b: str, limit: int) -> None:
    assert distance(a, b, limit) == min(distance(a, b, 10), limit + 1)


@given(NAMES, st.lists(NAMES, max_size=6))
def test_the_nearest_name_is_a_known_one_and_another(name: str, known: list[str]) -> None:
    found = nearest(name, known)
    assert found is None or (found in known and found != name)
    assert found == nearest(name, reversed(known))


@given(st.lists(st.text(alphabet="ab", min_size=1), max_size=5), st.integers(0, 3))
def test_lists_in_words(items: list[str], count: int) -> None:
    assert listed(items).count(",") == max(0, len(items) - 2)
    assert counted(count, "step").endswith("step" if count == 1 else "steps")


MANY = [f"{a}{b}{c}" for a in ("take", "give", "send", "look") for b in ("Order", "Parcel", "Bill") for c in range(100)]


@given(st.sampled_from(MANY), st.integers(0, 20), st.sampled_from("xyz"))
def test_a_slip_is_found_among_many_names(name: str, at: int, letter: str) -> None:
    at %= len(name)
    slip = name[:at] + letter + name[at + 1 :]
    found = nearest(slip, MANY)
    assert found is not None
    assert distance(slip.lower(), found.lower(), 3) == 1
