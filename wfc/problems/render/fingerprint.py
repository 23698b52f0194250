"""What tells a problem from all others, and stays as it is when lines above it come and go.

It is made of the code, the file, the text of the line and the message. Problems in which all of that is equal are
counted through, so that no two of one check have the same.
"""

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256

from wfc.problems.problem import Problem

_LENGTH = 20  # hexadecimal digits, 80 bits
_LINE = 400  # characters of the line that count: thousands of problems may stand on one endless line


def fingerprints(problems: Iterable[Problem]) -> list[str]:
    """The fingerprint of each problem, in their order."""
    met: Counter[str] = Counter()
    found: list[str] = []
    for problem in problems:
        told = _told(problem)
        number = met[told]
        met[told] += 1
        found.append(_digest(f"{told}\0{number}" if number else told))
    return found


def _told(problem: Problem) -> str:
    line = problem.at.source.line(problem.at.line).strip()[:_LINE] if problem.at.is_known else ""
    return f"{problem.code}\0{problem.at.source.path}\0{line}\0{problem.message()}"


def _digest(text: str) -> str:
    # A path may hold bytes that are no UTF-8; Python shows them as surrogates.
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_LENGTH]
