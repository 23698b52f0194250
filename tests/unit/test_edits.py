from tests.unit.test_render import OddThing
from wfc.problems.edits import apply_edits, chosen_edits
from wfc.problems.problem import Edit, Fix
from wfc.text.source import SourceFile, Span

SOURCE = SourceFile("a.wf", "one two three")


def edit(start: int, end: int, text: str) -> Edit:
    return Edit(Span(SOURCE, start, end), text)


def odd(*fixes: Fix) -> OddThing:
    return OddThing(at=Span(SOURCE, 0, 3), fixes=fixes)


def test_edits_are_applied_from_left_to_right() -> None:
    assert apply_edits(SOURCE, [edit(8, 13, "3"), edit(0, 3, "1"), edit(4, 4, "and ")]) == "1 and two 3"


def test_edits_of_other_sources_are_left_alone() -> None:
    assert apply_edits(SourceFile("b.wf", "one"), [edit(0, 3, "1")]) == "one"


def test_only_safe_fixes_are_chosen_unless_all_are_wanted() -> None:
    safe, unsafe = Fix("s", (edit(0, 3, "1"),), True), Fix("u", (edit(4, 7, "2"),))
    assert chosen_edits([odd(unsafe, safe), odd(unsafe)], unsafe=False) == safe.edits
    assert chosen_edits([odd(unsafe, safe), odd(safe)], unsafe=True) == (*unsafe.edits, *safe.edits)


def test_a_fix_that_touches_an_earlier_one_waits() -> None:
    first, second, same = (
        Fix("f", (edit(0, 3, "1"),), True),
        Fix("s", (edit(2, 5, "x"),), True),
        Fix("f", (edit(0, 3, "1"),), True),
    )
    assert chosen_edits([odd(first), odd(second), odd(same)], unsafe=False) == first.edits
