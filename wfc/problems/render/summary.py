"""The last line of a check: how many problems in how many files."""

from collections import Counter
from collections.abc import Iterable

from wfc.problems.problem import Problem, Severity
from wfc.text.names import counted


def summary(problems: Iterable[Problem], files: int) -> str:
    """`2 errors, 1 warning in 3 files`, or `no problems in 3 files`."""
    numbers = Counter(problem.level() for problem in problems)
    found = [counted(numbers[severity], severity.value) for severity in Severity if numbers[severity]]
    told = ", ".join(found) or "no problems"
    return f"{told} in {counted(files, 'file')}" if files else told
