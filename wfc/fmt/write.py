"""The text of a plan: token after token, each with the comments around it. Here nothing is left out."""

from wfc.fmt.plan import MIDWAY, WIDTH, Plan
from wfc.syntax.tokens import END
from wfc.text.doc import columns

_BEFORE_COMMENT = 2  # blanks between code and the comment behind it


class _Line:
    """A line under way."""

    __slots__ = ("comment", "indent", "parts")

    def __init__(self, indent: int) -> None:
        self.indent = indent
        self.parts: list[str] = []
        self.comment = ""

    @property
    def code(self) -> str:
        return " " * self.indent + "".join(self.parts) if self.parts else ""


def written(plan: Plan) -> str:
    """The text that a plan lays out."""
    words, measured = plan.words, plan.measured
    tight, dropped, ends = measured.tight, measured.dropped, plan.ends
    lines: list[_Line] = []
    line = _Line(0)
    base = 0
    closed = True  # nothing more may stand on the line
    for i, (term, text) in enumerate(zip(words.terms, words.texts, strict=True)):
        leads = words.leads.get(i)
        end = ends[i]
        depth = 0 if term == END else end if end >= 0 else base + MIDWAY
        blank = i in plan.wanted or (i in plan.kept and words.blank_before(i)) or (term == END and bool(lines))
        if leads:
            inside = plan.inside.get(i, depth)
            for n, lead in enumerate(leads):
                if lead.blank if n or term == END else blank:
                    lines.append(_Line(0))
                line = _Line(inside)
                line.parts.append(lead.text)
                lines.append(line)
            closed = True
            blank = i in words.blanks and i not in plan.inside
        if term == END:
            break
        if i in dropped:
            continue
        if end >= 0 or closed:
            if blank:
                lines.append(_Line(0))
            line = _Line(depth)
            lines.append(line)
            if end >= 0:
                base = end
            line.parts.append(text)
            closed = False
        else:
            if not tight[i]:
                line.parts.append(" ")
            if i in plan.pads:
                line.parts.append(" " * plan.pads[i])
            line.parts.append(text)
        if i in plan.commas:
            line.parts.append(",")
        trail = words.trails.get(i)
        if trail is not None:
            line.comment = trail
            closed = True
    return _joined(lines)


def _joined(lines: list[_Line]) -> str:
    """Lines as a text, the comments behind neighbouring ones in one column."""
    found: list[str] = []
    n = 0
    while n < len(lines):
        line = lines[n]
        if not line.comment:
            found.append(line.code)
            n += 1
            continue
        stop = n
        while stop < len(lines) and lines[stop].comment and lines[stop].indent == line.indent:
            stop += 1
        run = lines[n:stop]
        codes = [each.code for each in run]
        widths = [columns(code) for code in codes]
        at = max(widths) + _BEFORE_COMMENT
        if any(at + columns(each.comment) > WIDTH for each in run):
            at = 0
        for each, code, width in zip(run, codes, widths, strict=True):
            found.append(code + " " * max(at - width, _BEFORE_COMMENT) + each.comment)
        n = stop
    return "\n".join(found) + "\n" if found else ""
