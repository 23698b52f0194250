"""Text to tree: drives the LALR tables that lark computed, building nodes as rules complete.

The loop knows nothing of particular rules. A mistake is handed to `recovery`, which reports it and says where to go on.
"""

from collections.abc import Callable
from typing import Any

from wfc import problems
from wfc.problems.problem import Reporter
from wfc.syntax import build_declarations, build_expressions, build_flow, build_scenarios
from wfc.syntax.build import MAX_DEPTH, Context
from wfc.syntax.nodes import ErrorExpr, Expr, Module
from wfc.syntax.recovery import MAX_STACK, Stack, recover
from wfc.syntax.tables import ACTIONS, GOTOS, RULES, START
from wfc.syntax.tokens import END, FIRST_FIXED, NAME, STRING, UNREADABLE, Tokens, tokenize
from wfc.text.source import SourceFile

Build = Callable[..., Any]
_MODULES = (build_declarations, build_expressions, build_flow, build_scenarios)


def _builder(name: str) -> Build | None:
    """The function that builds what a rule names; None for rules that pass on or collect."""
    if name in {"", "*"}:
        return None
    for module in _MODULES:
        found: Build | None = getattr(module, name, None) or getattr(module, name + "_", None)
        if found is not None:
            return found
    raise LookupError(name)


# origin, length, builder, kept positions, whether the value is a list
_REDUCTIONS = tuple((origin, length, _builder(name), kept, name == "*") for origin, length, name, kept in RULES)


def parse(source: SourceFile, report: Reporter) -> Module:
    """The tree of a module. Mistakes are reported and what can be read around them is kept; nothing raises."""
    context = Context(source, report, parse_inner)
    tokens = tokenize(source.text)
    context.docs = tokens.docs
    result = _drive(context, tokens, "file")
    if isinstance(result, Module):
        return result
    return Module(0, len(source.text), None, "", (), (), (), True)


def parse_inner(context: Context, start: int, end: int) -> Expr:
    """The expression between two offsets of the same text: what a string inserts."""
    tokens = tokenize(context.source.text, start, end)
    result = _drive(context, tokens, "expr")
    return result if isinstance(result, Expr) else ErrorExpr(start, end)


def _drive(context: Context, tokens: Tokens, symbol: str) -> object:  # noqa: PLR0915 - one loop; calls would cost
    """Runs the automaton over the tokens; None where no tree could be made at all."""
    first, last = START[symbol]
    text = context.source.text
    terms, starts, ends = tokens.terms, tokens.starts, tokens.ends
    stack = Stack([first], [None], [0])
    states, values, begins = stack.states, stack.values, stack.begins
    actions, gotos, reductions = ACTIONS, GOTOS, _REDUCTIONS
    i = 0
    end = starts[0]
    while True:
        term = terms[i]
        row = actions[states[-1]]
        if term >= FIRST_FIXED and term not in row and text[starts[i]].isidentifier():
            term = NAME
        action = row.get(term)
        if action is None:
            action = _only_reduction(row)
        while action is not None and action < 0:
            origin, length, build, kept, is_list = reductions[-1 - action]
            if length:
                parts = values[-length:]
                begin = begins[-length]
                del states[-length:], values[-length:], begins[-length:]
            else:
                parts = []
                begin = starts[i]
            if build is None and not is_list:
                value = parts[kept[0]]
            elif build is None and kept and kept[0] == 0 and type(parts[0]) is list:
                value = parts[0]
                for at in kept[1:]:
                    _add(value, parts[at])
            else:
                args: list[Any] = []
                for at in kept:
                    _add(args, parts[at])
                value = args if build is None else build(context, begin, end, *args)
            states.append(gotos[states[-1]][origin])
            values.append(value)
            begins.append(begin)
            if states[-1] == last and term == END:
                return value
            row = actions[states[-1]]
            action = row.get(term)
            if action is None:
                action = _only_reduction(row)
        if action is None or term == UNREADABLE:
            going_on = recover(context, tokens, i, stack)
            if going_on is None:
                return None
            i = going_on
            end = max(end, ends[i - 1]) if i else end
            continue
        begin, end = starts[i], ends[i]
        if len(states) > MAX_STACK:
            context.report(problems.NestedTooDeep(at=context.span(begin, end), limit=MAX_DEPTH))
            return None
        states.append(action)
        begins.append(begin)
        if term > STRING and term >= END:
            values.append(term)
        else:
            values.append(context.token(term, begin, end))
        i += 1


def _only_reduction(row: dict[int, int]) -> int | None:
    """The reduction of a state that can do nothing else: done even at a token that does not fit, before recovery."""
    reductions = set(row.values())
    only = next(iter(reductions), 0)
    return only if len(reductions) == 1 and only < 0 else None


def _add(items: list[Any], value: object) -> None:
    """Adds a value, or the values of a list."""
    if type(value) is list:
        items.extend(value)
    else:
        items.append(value)
