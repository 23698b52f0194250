"""Problems that are hard to write down: every character that means something to one of the formats."""

from wfc.problems.problem import UNSOUGHT, Edit, Fix, Label, Problem, Severity, Step, Trace
from wfc.project.files import whole_file
from wfc.text.source import SourceFile, Span
from wfc.text.value import value

HOSTILE = (
    "100% of %0A and %25",
    "quoted \"twice\", 'once' and `thrice`",
    "]]> <![CDATA[ <b>&amp;</b>",
    "two\nlines\r\nand\ta tab",
    "\x00\x07\x1b[31m\x7f\x85\u2028\u202e",
    "ünïcödé 漢字 🦊 e\u0301",
    "::error file=a,line=1::b",
    "[a link](https://example.org) {0} $(id) | and \\",
    "a.wf:1:2: error[nothing]: nothing",
)
PATHS = ("shop/a.wf", "with space/ä%20.wf", "c:drive,x/[1] (2)#?.wf", "./dot.wf", "/abs/a.wf", "no\udce4utf8.wf")
TEXT = 'state 漢 { "🦊"  do bank.charge(order) }\r\n\tstate ship {\n}\n'


@value(kw_only=True)
class OddThing(Problem):
    """For tests: `odd`.

    It is odd because of <this>.

    ```wf fails
    odd
    ```
    """

    says: str = "something is odd"
    how_bad: Severity = Severity.ERROR

    def message(self) -> str:
        return self.says

    def label(self) -> str:
        return self.says

    def help(self) -> tuple[str, ...]:
        return (self.says, "second\nline")

    def level(self) -> Severity:
        return self.how_bad


@value(kw_only=True)
class OtherThing(OddThing):
    """For tests, too."""


def hostile() -> tuple[Problem, ...]:
    """Every text at places of every path, in all severities, with all that a problem can have."""
    found: list[Problem] = []
    for path in PATHS:
        source = SourceFile(path, TEXT)
        other = SourceFile("other.wf", "one\ntwo\n")
        for text in HOSTILE:
            for number, how_bad in enumerate(Severity):
                at = Span(source, 11 + number, (24, len(TEXT), 11 + number)[number])
                edit = Edit(at, text)
                fixes = (Fix(text, (edit,), safe=True), Fix("both", (edit, Edit(Span(other, 0, 3), "1"))))
                trace = Trace("W", (Step(text), Step("there", at), Step("after")), ())
                kind = OddThing if number else OtherThing
                found.append(
                    kind(
                        at=at,
                        says=text,
                        how_bad=how_bad,
                        labels=(Label(Span(other, 4, 7), text),),
                        fixes=fixes,
                        trace=trace if number else UNSOUGHT,
                    )
                )
        found.append(OddThing(at=whole_file(path), says="is not there"))
    return tuple(found)


def many(count: int) -> tuple[Problem, ...]:
    """So many problems in a source of as many lines."""
    source = SourceFile("long.wf", "ä state\n" * count)
    return tuple(OddThing(at=Span(source, line * 8 + 2, line * 8 + 7)) for line in range(count))
