"""Documents are broken into lines as prettier breaks them."""

from wfc.text.doc import (
    BREAK,
    HARD,
    LINE,
    SOFT,
    Align,
    Doc,
    Fill,
    Group,
    IfBreak,
    Indent,
    IndentIfBreak,
    Late,
    breaks,
    choice,
    columns,
    join,
    render,
    without_lines,
)


def call(*args: Doc, name: str = "call") -> Doc:
    return Group([f"{name}(", Indent([SOFT, *join([",", LINE], args)]), IfBreak(","), SOFT, ")"])


def test_what_fits_stays_on_one_line() -> None:
    assert render(call("one", "two"), 14) == "call(one, two)"
    assert render(call("one", "two"), 13) == "call(\n  one,\n  two,\n)"


def test_the_outermost_group_breaks_first() -> None:
    doc = call("one", call("two", "three", name="f"))
    assert render(doc, 20) == "call(\n  one,\n  f(two, three),\n)"


def test_what_follows_counts_up_to_where_a_line_may_end() -> None:
    assert render([call("one"), ";"], 10) == "call(one);"
    assert render([call("one"), ";"], 9) == "call(\n  one,\n);"


def test_a_hard_line_breaks_every_group_around_it() -> None:
    doc = call("one", ["two", HARD, "three"])
    assert breaks(doc)
    assert render(doc, 80) == "call(\n  one,\n  two\n  three,\n)"
    assert breaks([BREAK, "one"])


def test_the_first_way_that_fits_is_taken() -> None:
    last = Group(["{", Indent([LINE, "key: 1"]), LINE, "}"])
    broken = Group(["{", Indent([LINE, "key: 1"]), LINE, "}"], broken=True)
    doc = choice(["f(", last, ")"], ["f(", broken, ")"], ["f(", Indent([HARD, last]), HARD, ")"])
    assert render(doc, 20) == "f({ key: 1 })"
    assert render(doc, 10) == "f({\n  key: 1\n})"


def test_one_thing_may_follow_how_another_is_broken() -> None:
    line = Group(Indent(LINE))
    doc = Group(["name =", line, IndentIfBreak(["value", IfBreak("!", "?", line)], line)])
    assert render(doc, 40) == "name = value?"
    assert render(doc, 10) == "name =\n  value!"


def test_lines_are_filled() -> None:
    words: list[Doc] = ["one,", LINE, "two,", LINE, "three,", LINE, "four"]
    assert render(Fill(words), 10) == "one, two,\nthree,\nfour"


def test_a_late_line_is_laid_out_only_if_it_does_not_fit() -> None:
    def make() -> Doc:
        return call("one", "two")

    assert render(["{", Indent([HARD, Late("call(one,two)", make)]), HARD, "}"], 20) == "{\n  call(one,two)\n}"
    assert render(["{", Indent([HARD, Late("call(one,two)", make)]), HARD, "}"], 10).count("\n") == 5


def test_no_line_ends_with_blanks() -> None:
    assert render(Indent(["one", " ", HARD, HARD, "two"]), 10) == "one\n\n  two"


def test_columns_are_those_of_a_terminal() -> None:
    assert [columns(text) for text in ("abc", "é", "e\u0301", "漢字")] == [3, 1, 1, 4]


def test_lines_can_be_taken_out() -> None:
    doc = [call("one", Align(2, Fill(["two", LINE, "three"]))), Group("x", states=("x", "y"))]
    assert render(without_lines(doc), 1) == "call(one, two three)x"
