"""The problem `unexpected-character`."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class UnexpectedCharacter(Problem):
    """A character that the language does not use.

    Conditions are joined by the words `and`, `or`, `not`; steps need no separator.

    ```wf fails
    fn both(a: Bool, b: Bool) -> Bool = a && b
    ```
    ```wf passes
    fn both(a: Bool, b: Bool) -> Bool = a and b
    ```
    """

    text: str

    def message(self) -> str:
        shown = self.text if self.text.isprintable() and not self.text.isspace() else f"U+{ord(self.text[0]):04X}"
        return f"`{shown}` means nothing in this language"

    def help(self) -> tuple[str, ...]:
        hints = {
            "&&": "write `and`",
            "&": "write `and`",
            "||": "write `or`",
            "!": "write `not`, or `!=` to compare",
            ";": "leave it out: each step starts with a word of its own",
            "'": 'texts stand in double quotes: "like this"',
            "#": "comments begin with `//`",
            "\N{RIGHTWARDS ARROW}": "an arrow is written `->`",
            "\N{EN DASH}": "an arrow is written `->`, a minus `-`",
            "\N{LEFT DOUBLE QUOTATION MARK}": 'texts stand in straight double quotes: "like this"',
            "\N{RIGHT DOUBLE QUOTATION MARK}": 'texts stand in straight double quotes: "like this"',
            "\N{EURO SIGN}": "amounts name their currency behind the number: `100EUR`",
            "$": "amounts name their currency behind the number: `100USD`",
            "\N{NO-BREAK SPACE}": "this is a blank that does not break: write a plain one",
            "\N{ZERO WIDTH SPACE}": "this character cannot be seen: remove it",
            "%": "a percentage is a number with `%` behind it: `20%`",
        }
        hint = hints.get(self.text)
        return (hint,) if hint else ()
