import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from wfc.text.terminal import cells, expanded, visible


def test_pictures_stand_for_what_steers_a_terminal() -> None:
    assert visible("a\x1b[31mb\x7f\r\n\x9b\u202e") == "a␛[31mb␡␍␊\ufffd\ufffd"


@given(st.text())
def test_no_control_character_is_left(text: str) -> None:
    assert not any(unicodedata.category(character) == "Cc" for character in visible(text))


def test_wide_and_combining_characters_take_their_cells() -> None:
    assert cells("ab") == 2
    assert cells("漢字") == 4
    assert cells("e\u0301") == 1
    assert cells("👍\ufe0f") == 2


def test_tabs_reach_to_the_next_stop() -> None:
    assert expanded("\ta\tb") == "    a   b"
    assert expanded("\tb", 3) == " b"
    assert expanded("漢\tb") == "漢  b"
