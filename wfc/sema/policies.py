"""Types policies: named ones with their arguments, items with their values."""

from wfc import problems
from wfc.ir import expressions as ir
from wfc.ir.types import DECIMAL, DURATION, INT, QUEUE, Type
from wfc.problems.problem import Label
from wfc.sema.arithmetic import Types
from wfc.sema.calls import match_arguments
from wfc.sema.env import Env
from wfc.sema.symbols import Symbol
from wfc.syntax import nodes as ast

Exprs = dict[int, ir.Expr]
Refs = dict[int, tuple[Symbol, tuple[ir.Expr, ...]]]

_VALUES: dict[str, tuple[Type, ...]] = {
    "timeout": (DURATION,),
    "overall": (DURATION,),
    "try": (INT,),
    "backoff": (DURATION, DECIMAL, DURATION),
    "jitter": (DECIMAL,),
    "breaker": (INT, DURATION, DURATION),
    "limit": (INT, DURATION),
    "concurrency": (INT,),
    "heartbeat": (DURATION,),
}


def check_with(types: Types, node: ast.With, env: Env, exprs: Exprs, refs: Refs) -> None:
    """A `with`: a policy by name, or items in place."""
    if node.policy is not None:
        check_reference(types, node.policy, env, refs)
    check_items(types, node.items, env, exprs, refs)


def check_reference(types: Types, node: ast.PolicyRef, env: Env, refs: Refs) -> None:
    """A policy by name with its arguments."""
    symbol = types.module.find("values", node.name)
    if symbol is None or not isinstance(symbol.decl, ast.PolicyDecl):
        known = [name for name in types.module.readable("values") if _is_policy(types, name)]
        at = types.module.at(node.name)
        types.report(problems.UnknownName(at=at, kind="policy", name=node.name.text, known=tuple(known)))
        return
    params = types.signatures.fields(symbol.module, symbol.decl, symbol.decl.params)
    values, _ = match_arguments(types, symbol.name, params, node.args, env, node, frozenset(), {})
    refs[node.id] = (symbol, values)


def _is_policy(types: Types, name: str) -> bool:
    symbol, _ = types.module.find_prefix("values", tuple(name.split(".")))
    return symbol is not None and isinstance(symbol.decl, ast.PolicyDecl)


def check_items(types: Types, items: tuple[ast.PolicyItem, ...], env: Env, exprs: Exprs, refs: Refs) -> None:
    """The items of a policy: each at most once, with values of the right types."""
    seen: dict[str, ast.PolicyItem] = {}
    for item in items:
        older = seen.setdefault(item.kind, item)
        if older is not item:
            label = (Label(types.module.at(older), "the first one"),)
            why = "each item stands at most once"
            at = types.module.at(item)
            types.report(problems.MisplacedWord(at=at, word=item.kind, place="twice", why=why, labels=label))
        for value, kind in zip(item.values, _VALUES.get(item.kind, ()), strict=False):
            if value is not None:
                exprs[value.id] = types.typed(value, env, kind)
        if item.kind in ("only", "except"):
            for name in item.names:
                types.signatures.errors(types.module, name)
        elif item.kind == "exhausted" and item.names:
            _queue(types, item.names[0], env, exprs, refs)


def _queue(types: Types, name: ast.QName, env: Env, exprs: Exprs, refs: Refs) -> None:
    """The queue of `dead letter q` and `park in q`: a declared queue, or a parameter of type Queue."""
    binding = env.find(name.text)
    if binding is not None and binding.type == QUEUE:
        exprs[name.id] = ir.Ref(QUEUE, binding.kind, name.text)
        return
    symbol = types.module.find("values", name)
    if symbol is not None and isinstance(symbol.decl, ast.QueueDecl):
        exprs[name.id] = ir.Ref(QUEUE, "queue", symbol.qualified)
        refs[name.id] = (symbol, ())
        return
    known = tuple(n for n in types.module.readable("values") if _is_queue(types, n))
    types.report(problems.UnknownName(at=types.module.at(name), kind="queue", name=name.text, known=known))


def _is_queue(types: Types, name: str) -> bool:
    symbol, _ = types.module.find_prefix("values", tuple(name.split(".")))
    return symbol is not None and isinstance(symbol.decl, ast.QueueDecl)
