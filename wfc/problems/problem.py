"""What a problem is: a value with a code, a place, labels, a story, help and fixes. Nothing here raises."""

from collections.abc import Callable
from enum import Enum
from typing import Any, ClassVar

from wfc.text.names import kebab
from wfc.text.source import Span
from wfc.text.value import Value, value


class Severity(Enum):
    """How much a problem matters: an error refuses the program, a warning and a hint do not."""

    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"


@value
class Label(Value):
    """A second place of the source and what it has to do with the problem."""

    at: Span
    text: str


@value
class Edit(Value):
    """Replaces the text of a span."""

    at: Span
    text: str


@value
class Fix(Value):
    """Edits that solve a problem. A safe fix keeps what the author meant and may be applied without looking."""

    title: str
    edits: tuple[Edit, ...]
    safe: bool = False


@value
class Step(Value):
    """A step of a run that shows a problem, and where it happens."""

    text: str
    at: Span | None = None


@value
class Trace(Value):
    """A run that shows a problem, as steps to read and as data to go the same way again.

    `workflow` is the one that runs. `acts` are what came from outside, in order: the instance, the input as a journal
    writes it, and the key of the call that it answers. `sign`: what is to be seen in the run, as a kind and a name.
    `record`: the path of the record on which it runs, if it is a run of an older version.
    """

    workflow: str
    steps: tuple[Step, ...]
    acts: tuple[tuple[str, Any, str], ...]
    sign: tuple[str, str] = ("there", "")
    record: str = ""


UNSOUGHT = Trace("", (), ())  # in place of a run where none was looked for, since others have cost too much


@value(kw_only=True)
class Problem(Value):
    """Base of all problems.

    A subclass lives in a file of its own name; its code is that name in kebab case and its docstring is the page that
    `wfc explain` shows: one line, why it matters, an example that fails, one that passes, and how to say "I mean it".
    `label` is the text at the place itself, `trace` a run that shows the problem. An `arguable` error may be allowed
    with a reason, as every warning may: the process runs all the same. `roots` are the codes of which one in the same
    workflow may be its cause: it is told when that is mended.
    """

    code: ClassVar[str] = ""
    severity: ClassVar[Severity] = Severity.ERROR
    arguable: ClassVar[bool] = False
    roots: ClassVar[frozenset[str]] = frozenset()

    at: Span
    labels: tuple[Label, ...] = ()
    fixes: tuple[Fix, ...] = ()
    trace: Trace | None = None

    def __init_subclass__(cls) -> None:
        """Names the code after the class."""
        cls.code = kebab(cls.__name__)

    def message(self) -> str:
        """What is wrong, in the user's words, on one line."""
        raise NotImplementedError

    def label(self) -> str:
        """A few words at the place itself, or nothing."""
        return ""

    def story(self) -> tuple[str, ...]:
        """The steps of a run that shows it, or nothing."""
        return tuple(step.text for step in self.trace.steps) if self.trace is not None else ()

    def help(self) -> tuple[str, ...]:
        """What to do about it, an edit ready to paste where there is one; each item is one `help:` line."""
        return ()

    def level(self) -> Severity:
        """The severity of this very problem; most have one for all."""
        return self.severity


Reporter = Callable[[Problem], None]


class Report:
    """Collects problems; calling it adds one. The same code at the same place is kept once."""

    def __init__(self) -> None:
        self._problems: dict[tuple[str, int, int, str, str], Problem] = {}

    def __call__(self, problem: Problem) -> None:
        """Adds a problem."""
        at = problem.at
        key = (at.source.path, at.start, at.end, problem.code, problem.message())
        self._problems.setdefault(key, problem)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All of them, by file, place and code."""
        return tuple(problem for _, problem in sorted(self._problems.items(), key=lambda item: item[0]))

    @property
    def has_errors(self) -> bool:
        """Whether any of them is an error."""
        return any(problem.level() is Severity.ERROR for problem in self._problems.values())

    @property
    def is_runnable(self) -> bool:
        """Whether the program can run: without errors, but for those that its author may answer for."""
        every = self._problems.values()
        return not any(problem.level() is Severity.ERROR and not problem.arguable for problem in every)
