"""Calls: arguments matched to parameters, operations and workflows found, uses of generic workflows told apart."""

from wfc import problems
from wfc.ir import expressions as ir
from wfc.ir.types import (
    UNKNOWN,
    Fields,
    ListOf,
    MapOf,
    Named,
    OperationType,
    Optional,
    Secret,
    Type,
    TypeVar,
    substitute,
)
from wfc.sema.arithmetic import Types
from wfc.sema.env import Env
from wfc.sema.forms import widened
from wfc.sema.model import CallInfo, FieldInfo, Instance, OperationInfo, ParamOperation
from wfc.sema.signatures import as_qname
from wfc.sema.symbols import Symbol
from wfc.syntax import nodes as ast
from wfc.text.names import counted

Bound = dict[str, Type]


def signature(name: str, params: tuple[FieldInfo, ...]) -> str:
    """How a call is written: `charge(order: Text, amount: Money<EUR>)`."""
    shown = ", ".join(f"{p.name}: {p.type}" + (" = ..." if p.node.default else "") for p in params)
    return f"`{name}({shown})`"


def match_arguments(  # noqa: PLR0913, PLR0917 - a call has that many sides
    types: Types,
    name: str,
    params: tuple[FieldInfo, ...],
    args: tuple[ast.Argument, ...],
    env: Env,
    node: ast.Node,
    type_params: frozenset[str],
    bound: Bound,
    *,
    secrets: bool = False,
) -> tuple[tuple[ir.Expr, ...], Bound]:
    """The arguments in order of the parameters, defaults filled in, and what the type parameters stand for."""
    slots = assign(types, name, params, args, node)
    bound = dict(bound)
    values: list[ir.Expr] = []
    for param, slot in zip(params, slots, strict=True):
        if slot is None:
            default = param.default
            values.append(default if default is not None else ir.Lit(UNKNOWN, None))
            continue
        if isinstance(param.type, OperationType):
            values.append(ir.Lit(UNKNOWN, None))  # a workflow's operation: bound in workflow_call
            continue
        wanted = substitute(param.type, bound)
        value = types.infer(slot, env, None if _open(wanted, type_params - bound.keys()) else wanted)
        if type_params and not unify(param.type, value.type, bound, type_params):
            pass  # told by coerce, below
        value = types.coerce(value, substitute(param.type, bound), slot)
        if not (secrets and isinstance(param.type, Secret)):
            value = types.public(value, slot)
        values.append(value)
    return tuple(values), bound


def assign(
    types: Types, name: str, params: tuple[FieldInfo, ...], args: tuple[ast.Argument, ...], node: ast.Node
) -> list[ast.Expr | None]:
    """Which argument each parameter gets; what does not fit is reported."""
    slots: list[ast.Expr | None] = [None] * len(params)
    names = [param.name for param in params]
    shown = signature(name, params)
    position = 0
    for arg in args:
        if arg.name is None:
            index = position
            position += 1
            if index >= len(params):
                text = f"`{name}` takes {counted(len(params), 'argument')}, and this is one more"
                types.report(problems.MissingArgument(at=types.module.at(arg), text=text, signature=shown))
                continue
        elif arg.name.text in names:
            index = names.index(arg.name.text)
        else:
            known = tuple(names)
            at = types.module.at(arg.name)
            types.report(problems.UnknownName(at=at, kind=f"parameter of `{name}`", name=arg.name.text, known=known))
            continue
        if slots[index] is not None:
            text = f"`{names[index]}` is given twice"
            types.report(problems.MissingArgument(at=types.module.at(arg), text=text, signature=shown))
        slots[index] = arg.value
    missing = [p.name for p, slot in zip(params, slots, strict=True) if slot is None and p.node.default is None]
    if missing:
        text = f"`{name}` needs {' and '.join(f'`{m}`' for m in missing)}"
        types.report(problems.MissingArgument(at=types.module.at(node), text=text, signature=shown))
    return slots


def _open(kind: Type, free: frozenset[str]) -> bool:
    """Whether a type still holds a type parameter that nothing has told."""
    match kind:
        case TypeVar(name):
            return name in free
        case ListOf(inner) | MapOf(inner) | Optional(inner) | Secret(inner):
            return _open(inner, free)
        case Named(_, _, args):
            return any(_open(arg, free) for arg in args)
        case Fields(fields):
            return any(_open(field, free) for _, field in fields)
        case OperationType(params, result):
            return any(_open(p, free) for p in (*params, result))
        case _:
            return False


def unify(pattern: Type, given: Type, bound: Bound, free: frozenset[str]) -> bool:
    """Learns from a given type what the type parameters of a pattern stand for."""
    if UNKNOWN in (pattern, given):
        return True
    match pattern:
        case TypeVar(name) if name in free:
            known = bound.get(name)
            merged = given if known is None else widened(known, given)
            if merged is None:
                return False
            bound[name] = merged
            return True
        case ListOf(inner) if isinstance(given, ListOf):
            return unify(inner, given.item, bound, free)
        case MapOf(inner) if isinstance(given, MapOf):
            return unify(inner, given.item, bound, free)
        case Optional(inner):
            return unify(inner, given.inner if isinstance(given, Optional) else given, bound, free)
        case Secret(inner) if isinstance(given, Secret):
            return unify(inner, given.inner, bound, free)
        case Named(_, name, args) if isinstance(given, Named) and given.name == name:
            return all(unify(a, b, bound, free) for a, b in zip(args, given.args, strict=False))
        case _:
            return pattern == given


def resolve(
    types: Types, call: ast.Call, env: Env, operations: dict[str, OperationInfo | ParamOperation]
) -> CallInfo | None:
    """What a step calls: an operation, a parameter that stands for one, or a workflow."""
    name = call.name.text
    handed = operations.get(name)
    if handed is not None:
        return _operation_call(types, call, env, handed)
    operation = types.signatures.operation(types.module, call.name)
    if operation is not None:
        return _operation_call(types, call, env, operation)
    symbol, rest = types.module.find_prefix("values", tuple(part.text for part in call.name.parts))
    if symbol is not None and isinstance(symbol.decl, ast.WorkflowDecl) and not rest:
        return _workflow_call(types, call, env, symbol, symbol.decl, operations)
    _unknown_call(types, call, env, symbol)
    return None


def _unknown_call(types: Types, call: ast.Call, env: Env, symbol: Symbol | None) -> None:
    at = types.module.at(call.name)
    if symbol is not None and isinstance(symbol.decl, ast.ServiceDecl) and len(call.name.parts) > 1:
        known = tuple(f"{symbol.name}.{op.name.text}" for op in symbol.decl.operations)
        types.report(problems.UnknownName(at=at, kind="operation", name=call.name.text, known=known))
    elif symbol is not None:
        text = f"`{call.name.text}` is a {symbol.kind}: `do` calls an operation of a service or a workflow"
        types.report(problems.MismatchedType(at=at, text=text))
    else:
        known = callables(types)
        types.report(problems.UnknownName(at=at, kind="operation or workflow", name=call.name.text, known=known))
    for arg in call.args:
        types.infer(arg.value, env)


def callables(types: Types) -> tuple[str, ...]:
    """Everything that `do` can call here, as it is written."""
    names: list[str] = []
    for name in types.module.readable("values"):
        symbol, _ = types.module.find_prefix("values", tuple(name.split(".")))
        if symbol is not None and isinstance(symbol.decl, ast.ServiceDecl):
            names.extend(f"{name}.{op.name.text}" for op in symbol.decl.operations)
        elif symbol is not None and isinstance(symbol.decl, ast.WorkflowDecl):
            names.append(name)
    return tuple(names)


def _operation_call(types: Types, call: ast.Call, env: Env, target: OperationInfo | ParamOperation) -> CallInfo:
    if isinstance(target, ParamOperation):
        params = tuple(_nameless(i, kind) for i, kind in enumerate(target.params, 1))
        values, _ = match_arguments(types, target.name, params, call.args, env, call, frozenset(), {}, secrets=True)
        return CallInfo(target, values, params, target.result, ())
    values, _ = match_arguments(types, target.name, target.params, call.args, env, call, frozenset(), {}, secrets=True)
    return CallInfo(target, values, target.params, target.result, target.raises)


def _nameless(number: int, kind: Type) -> FieldInfo:
    word = ast.Name(0, 0, f"#{number}")
    written = ast.TypeRef(0, 0, ast.QName(0, 0, (word,)), ())
    return FieldInfo(ast.Field(0, 0, (), word, written, None, None, ""), word.text, kind)


def _workflow_call(
    types: Types,
    call: ast.Call,
    env: Env,
    symbol: Symbol,
    decl: ast.WorkflowDecl,
    operations: dict[str, OperationInfo | ParamOperation],
) -> CallInfo:
    free = frozenset(p.text for p in decl.type_params)
    params = types.signatures.fields(symbol.module, decl, decl.params, free)
    bound: Bound = {}
    if call.type_args:
        given = [types.signatures.type(types.module, arg) for arg in call.type_args]
        if len(given) == len(decl.type_params):
            bound = {p.text: kind for p, kind in zip(decl.type_params, given, strict=True)}
        else:
            text = f"`{symbol.name}` takes {len(decl.type_params) or 'no'} type arguments"
            types.report(problems.MismatchedType(at=types.module.at(call), text=text))
    handed = _handed_operations(types, call, symbol.name, params, bound, free, operations)
    values, bound = match_arguments(types, symbol.name, params, call.args, env, call, free, bound)
    for name, kind in bound.items():
        if isinstance(kind, Optional | Secret):
            text = (
                f"`{name}` of `{symbol.name}` would be `{kind}`: a type parameter is never optional and never a secret"
            )
            types.report(problems.MismatchedType(at=types.module.at(call), text=text))
    for name, operation in handed.items():
        pattern = next(p.type for p in params if p.name == name)
        _check_handed(types, call, name, operation, substitute(pattern, bound))
    result = types.signatures.type(symbol.module, decl.result, free) if decl.result else None
    raises = {error for name in decl.raises for error in types.signatures.errors(symbol.module, name)}
    concrete = {name: op for name, op in handed.items() if isinstance(op, OperationInfo)}
    for operation in concrete.values():
        raises.update(operation.raises)
    instance = Instance(
        symbol,
        tuple((p.text, bound.get(p.text, UNKNOWN)) for p in decl.type_params),
        tuple((p.name, concrete[p.name]) for p in params if p.name in concrete),
    )
    plain = tuple(
        (v, FieldInfo(p.node, p.name, substitute(p.type, bound), p.default, p.where, p.pii, p.blob))
        for v, p in zip(values, params, strict=True)
        if not isinstance(p.type, OperationType)
    )
    return CallInfo(
        instance,
        tuple(v for v, _ in plain),
        tuple(p for _, p in plain),
        substitute(result, bound) if result is not None else None,
        tuple(sorted(raises)),
    )


def _handed_operations(
    types: Types,
    call: ast.Call,
    name: str,
    params: tuple[FieldInfo, ...],
    bound: Bound,
    free: frozenset[str],
    operations: dict[str, OperationInfo | ParamOperation],
) -> dict[str, OperationInfo | ParamOperation]:
    """The operations given for parameters that stand for one."""
    if not any(isinstance(p.type, OperationType) for p in params):
        return {}
    handed: dict[str, OperationInfo | ParamOperation] = {}
    slots = _quiet_slots(params, call.args)
    for param, slot in zip(params, slots, strict=True):
        if not isinstance(param.type, OperationType) or slot is None:
            continue
        qname = as_qname(slot)
        operation = None
        if qname is not None:
            operation = operations.get(qname.text) or types.signatures.operation(types.module, qname)
        if operation is None:
            shown = types.module.at(slot).text
            at = types.module.at(slot)
            known = (*operations, *callables(types))
            types.report(problems.UnknownName(at=at, kind="operation", name=shown, known=known))
            continue
        handed[param.name] = operation
        for wanted, given in zip(param.type.params, _param_types(operation), strict=False):
            unify(wanted, given, bound, free)
        if operation.result is not None:
            unify(param.type.result, operation.result, bound, free)
    _ = name
    return handed


def _param_types(operation: OperationInfo | ParamOperation) -> tuple[Type, ...]:
    if isinstance(operation, ParamOperation):
        return operation.params
    return tuple(p.type for p in operation.params)


def _quiet_slots(params: tuple[FieldInfo, ...], args: tuple[ast.Argument, ...]) -> list[ast.Expr | None]:
    """Which argument each parameter gets, without problems: these are told by `assign`."""
    names = [param.name for param in params]
    slots: list[ast.Expr | None] = [None] * len(params)
    position = 0
    for arg in args:
        index = position if arg.name is None else names.index(arg.name.text) if arg.name.text in names else len(params)
        position += arg.name is None
        if index < len(params):
            slots[index] = arg.value
    return slots


def _check_handed(
    types: Types, call: ast.Call, name: str, operation: OperationInfo | ParamOperation, wanted: Type
) -> None:
    """Whether an operation fits the parameter it is given for."""
    assert isinstance(wanted, OperationType)
    given = _param_types(operation)
    if given == wanted.params and _result_fits(operation.result, wanted.result):
        return
    have = OperationType(given, operation.result) if operation.result is not None else None
    shown = f"`{have}`" if have else f"an operation of {len(given)} parameters without a result"
    text = f"`{operation.name}` is {shown}, and `{name}` needs `{wanted}`"
    types.report(problems.MismatchedType(at=types.module.at(call), text=text))


def _result_fits(given: Type | None, wanted: Type) -> bool:
    if given is None or given == wanted or UNKNOWN in (given, wanted):
        return given is not None
    return isinstance(wanted, Optional) and wanted.inner == given
