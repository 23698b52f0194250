import json
import re
import textwrap

from hypothesis import given
from hypothesis import strategies as st

from wfc.problems.problem import Edit, Fix, Label, Problem, Severity
from wfc.problems.render.concise import concise
from wfc.problems.render.full import full
from wfc.problems.render.json import render_json
from wfc.problems.render.palette import COLOURED
from wfc.problems.render.summary import summary
from wfc.text.source import SourceFile, Span
from wfc.text.value import value

_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@value(kw_only=True)
class OddThing(Problem):
    """For tests."""

    says: str = "something is odd"
    here: str = ""
    steps: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()

    def message(self) -> str:
        return self.says

    def label(self) -> str:
        return self.here

    def story(self) -> tuple[str, ...]:
        return self.steps

    def help(self) -> tuple[str, ...]:
        return self.advice


@value(kw_only=True)
class FaintThing(OddThing):
    """For tests."""

    severity = Severity.WARNING


SOURCE = SourceFile(
    "shop/a.wf",
    textwrap.dedent(
        """\
        state pay {
          do bank.charge(order)
          -> ship
        }
        state ship {
          do post.send(order)
        }
        state end {
        }
        """
    ),
)


def at(text: str, source: SourceFile = SOURCE, nth: int = 0) -> Span:
    start = -1
    for _ in range(nth + 1):
        start = source.text.index(text, start + 1)
    return Span(source, start, start + len(text))


def shown(*problems: Problem) -> str:
    return full(problems)


def framed(source: SourceFile, start: int, end: int, here: str = "") -> list[str]:
    """The lines of the frame only."""
    return shown(OddThing(at=Span(source, start, end), here=here)).splitlines()[1:-1]


def test_everything_a_problem_says_has_its_place() -> None:
    problem = OddThing(
        at=at("bank.charge"),
        here="takes money",
        labels=(Label(at("state end"), "ends here"), Label(at("post.send"), "may fail")),
        steps=("`bank.charge` done", "`post.send` fails\nfour times"),
        advice=("do something", "or:\n  do nothing"),
        fixes=(
            Fix("say how it is undone", (Edit(Span(SOURCE, at("(order)").end, at("(order)").end), " optional"),), True),
        ),
    )
    assert shown(problem) == textwrap.dedent(
        """\
        shop/a.wf:2:6: error[odd-thing]: something is odd
            2 |   do bank.charge(order)
              |      ^^^^^^^^^^^ takes money
          ...
            6 |   do post.send(order)
              |      --------- may fail
            7 | }
            8 | state end {
              | --------- ends here
          A run that shows it:
            1  `bank.charge` done
            2  `post.send` fails
               four times
        help: do something
        help: or:
                do nothing
        help: say how it is undone  [fix]
            2 -   do bank.charge(order)
            2 +   do bank.charge(order) optional
        more: wfc explain odd-thing
        """
    )


def test_problems_are_apart_by_a_blank_line() -> None:
    text = shown(OddThing(at=at("pay")), FaintThing(at=at("ship")))
    first, second = text.split("\n\n")
    assert first.startswith("shop/a.wf:1:7: error[odd-thing]")
    assert second.startswith("shop/a.wf:3:6: warning[faint-thing]")


def test_labels_in_another_source_stand_under_its_name() -> None:
    other = SourceFile("shop/b.wf", "one\ntwo\n")
    problem = OddThing(at=at("pay"), labels=(Label(at("two", other), "there"),))
    assert shown(problem).splitlines()[3:6] == ["  in shop/b.wf", "    2 | two", "      | --- there"]


def test_several_places_in_a_line_are_marked_from_left_to_right() -> None:
    problem = OddThing(at=at("order"), here="b", labels=(Label(at("do"), "a"),))
    assert shown(problem).splitlines()[1:4] == [
        "    2 |   do bank.charge(order)",
        "      |   -- a",
        "      |                  ^^^^^ b",
    ]


def test_a_file_without_text_has_no_frame() -> None:
    problem = OddThing(at=Span(SourceFile("a.wf", ""), 0, 0))
    assert shown(problem) == "a.wf:1:1: error[odd-thing]: something is odd\nmore: wfc explain odd-thing\n"


def test_an_empty_place_has_one_caret() -> None:
    assert framed(SOURCE, 5, 5) == ["    1 | state pay {", "      |      ^"]
    assert framed(SourceFile("a", "ab"), 2, 2) == ["    1 | ab", "      |   ^"]
    assert framed(SourceFile("a", "ab\n"), 3, 3) == ["    2 |", "      | ^"]


def test_a_place_of_several_lines_is_marked_to_the_end_of_the_first() -> None:
    assert framed(SOURCE, 0, 40) == ["    1 | state pay {", "      | ^^^^^^^^^^^"]


def test_tabs_and_wide_characters_keep_the_marks_right() -> None:
    source = SourceFile("a", "\tx\t漢字\ty e\u0301z")
    assert framed(source, 1, 2) == ["    1 |     x   漢字    y e\u0301z", "      |     ^"]
    assert framed(source, 3, 5)[1] == "      |         ^^^^"
    assert framed(source, 6, 7)[1] == "      |                 ^"
    assert framed(source, 10, 11)[1] == "      |                    ^"


def test_a_very_long_line_is_cut_around_the_place() -> None:
    source = SourceFile("a", "x" * 500 + "HERE" + "y" * 500)
    line, marks = framed(source, 500, 504, "look")
    assert line == "    1 | …" + "x" * 40 + "HERE" + "y" * 76 + "…"
    assert marks == "      | " + " " * 41 + "^^^^ look"


def test_a_cut_line_is_repeated_for_each_place_in_it() -> None:
    source = SourceFile("a", "x" * 500 + "HERE" + "y" * 500)
    labels = (Label(Span(source, 0, 1), "start"), Label(Span(source, 900, 1004), "end"))
    assert shown(OddThing(at=Span(source, 500, 504), labels=labels)).splitlines()[1:-1] == [
        "    1 | " + "x" * 120 + "…",
        "      | - start",
        "    1 | …" + "x" * 40 + "HERE" + "y" * 76 + "…",
        "      | " + " " * 41 + "^^^^",
        "    1 | …" + "y" * 120 + "…",
        "      | " + " " * 41 + "-" * 80 + " end",
    ]


def test_windows_line_ends_do_not_show() -> None:
    assert framed(SourceFile("a", "ab\r\ncd\r\n"), 0, 4) == ["    1 | ab", "      | ^^"]


def test_wide_gutters_stay_aligned() -> None:
    source = SourceFile("a", "\n" * 99_999 + "end")
    assert framed(source, 99_999, 100_002) == ["  100000 | end", "         | ^^^"]


def test_fixes_that_are_not_safe_say_so_and_long_ones_are_not_shown() -> None:
    insert = Edit(Span(SOURCE, 0, 0), "line\n" * 3)
    much = Edit(Span(SOURCE, 0, 0), "line\n" * 30)
    text = shown(OddThing(at=at("pay"), fixes=(Fix("a little", (insert,)), Fix("a lot", (much,)))))
    assert text.splitlines()[3:-1] == [
        "help: a little  [suggested fix]",
        "    1 + line",
        "    2 + line",
        "    3 + line",
        "help: a lot  [suggested fix]",
    ]


def test_a_fix_in_several_places_shows_each() -> None:
    edits = (Edit(at("pay"), "paid"), Edit(at("state", nth=2), ""), Edit(at("{"), "  {"))
    text = shown(OddThing(at=at("pay"), fixes=(Fix("both", edits, True),)))
    assert text.splitlines()[4:-1] == [
        "    1 - state pay {",
        "    1 + state paid   {",
        "    8 - state end {",
        "    8 +  end {",
    ]


def test_nothing_from_a_source_steers_the_terminal() -> None:
    source = SourceFile("a\x1b[2J.wf", "x \x1b[31m \x07 \u202e y")
    problem = OddThing(
        at=Span(source, 0, 1),
        says="odd \x1b[0m",
        here="la\x1bbel",
        steps=("st\x1bep",),
        advice=("ad\x07vice",),
        fixes=(Fix("fi\x1bx", (Edit(Span(source, 0, 1), "\x1b[1m"),), True),),
    )
    for text in (full([problem]), concise(problem), render_json([problem])):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)


def test_colours_change_nothing_but_colours() -> None:
    problem = OddThing(
        at=at("pay"), labels=(Label(at("ship"), "x"),), advice=("do",), fixes=(Fix("f", (Edit(at("pay"), "p"),)),)
    )
    coloured = full([problem], COLOURED)
    assert "\x1b[1;31merror[odd-thing]\x1b[0m" in coloured
    assert _ANSI.sub("", coloured) == full([problem])


@given(st.text(), st.data())
def test_any_place_of_any_text_can_be_shown(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    source = SourceFile("a", text)
    problem = OddThing(at=Span(source, start, end), fixes=(Fix("f", (Edit(Span(source, start, end), text),)),))
    rendered = full([problem])
    assert "\r" not in rendered
    assert json.loads(render_json([problem]))


def test_json_has_the_documented_shape() -> None:
    problem = FaintThing(
        at=at("pay"),
        here="h",
        steps=("s",),
        advice=("a",),
        labels=(Label(at("ship"), "l"),),
        fixes=(Fix("f", (Edit(Span(SOURCE, 0, 0), "x"),), True),),
    )
    place = {"start": {"line": 1, "column": 7, "offset": 6}, "end": {"line": 1, "column": 10, "offset": 9}}
    there = {"start": {"line": 3, "column": 6, "offset": 41}, "end": {"line": 3, "column": 10, "offset": 45}}
    zero = {"line": 1, "column": 1, "offset": 0}
    assert json.loads(render_json([problem])) == [
        {
            "code": "faint-thing",
            "severity": "warning",
            "message": "something is odd",
            "file": "shop/a.wf",
            "range": place,
            "label": "h",
            "labels": [{"text": "l", "file": "shop/a.wf", "range": there}],
            "story": ["s"],
            "trace": None,
            "help": ["a"],
            "fixes": [
                {
                    "title": "f",
                    "safe": True,
                    "edits": [{"file": "shop/a.wf", "range": {"start": zero, "end": zero}, "text": "x"}],
                }
            ],
        }
    ]
    assert render_json([]) == "[]\n"


def test_the_summary_counts() -> None:
    odd, faint = OddThing(at=at("pay")), FaintThing(at=at("pay"))
    assert summary([odd, odd, faint], 3) == "2 errors, 1 warning in 3 files"
    assert summary([], 1) == "no problems in 1 file"
    assert summary([odd], 0) == "1 error"
