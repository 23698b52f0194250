"""A duration is written and read back."""

from hypothesis import given
from hypothesis import strategies as st

from wfc.text.durations import parse_duration, show_duration


@given(st.integers(0, 2**53))
def test_a_duration_is_read_back(milliseconds: int) -> None:
    assert parse_duration(show_duration(milliseconds)) == milliseconds


@given(st.from_regex(r"(?:\d{1,6}(?:ms|[wdhms])){1,6}", fullmatch=True))
def test_what_can_be_read_has_one_shortest_form(text: str) -> None:
    length = parse_duration(text)
    if length is not None:
        shown = show_duration(length)
        assert parse_duration(shown) == length
        assert show_duration(length) == shown


@given(st.text())
def test_any_text_is_a_duration_or_is_not(text: str) -> None:
    length = parse_duration(text)
    assert length is None or length >= 0
