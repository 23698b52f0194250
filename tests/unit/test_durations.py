import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfc.text.durations import MILLISECONDS, parse_duration, show_duration


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("30s", 30_000), ("2h30m", 9_000_000), ("250ms", 250), ("1w1d1h1m1s1ms", 694_861_001), ("0s", 0)],
)
def test_reads_durations_as_the_language_writes_them(text: str, milliseconds: int) -> None:
    assert parse_duration(text) == milliseconds


@pytest.mark.parametrize("text", ["", "30", "s", "30 s", "1s1m", "1m1m", "-1s", "1.5s", "1y", "٣s"])
def test_refuses_what_is_no_duration(text: str) -> None:
    assert parse_duration(text) is None


@given(st.integers(0, 10 * MILLISECONDS["w"]))
def test_shows_what_it_reads(milliseconds: int) -> None:
    assert parse_duration(show_duration(milliseconds)) == milliseconds
