"""A source in its layout, or what keeps it from having one."""

import sys

from wfc.fmt.layout import Unfaithful, layout
from wfc.problems.problem import Problem, Report
from wfc.syntax.parse import parse
from wfc.text.source import SourceFile

_RECURSION = 20_000  # the deepest text that the parser lets through takes more calls than Python allows by itself


def tidied(source: SourceFile) -> SourceFile | tuple[Problem, ...]:
    """A source as `wfc fmt` writes it, or the mistakes of syntax for which it is left alone."""
    report = Report()
    parse(source, report)
    if report.has_errors:
        return report.problems
    sys.setrecursionlimit(max(sys.getrecursionlimit(), _RECURSION))
    try:
        text = layout(source.text)
    except Unfaithful as error:
        raise Unfaithful(f"{source.path}: {error}; the file is left as it is") from error
    if text is None:
        raise Unfaithful(f"{source.path}: the parser reads what the layout does not; the file is left as it is")
    return source if text == source.text else SourceFile(source.path, text)
