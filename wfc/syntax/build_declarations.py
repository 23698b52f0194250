"""Builders of modules and declarations: one function a rule of the grammar, called with its kept values."""

from wfc.syntax.build import Context, Part, first, of, one, part, written_type
from wfc.syntax.build_expressions import plain
from wfc.syntax.nodes import (
    ActivityType,
    Annotation,
    Assign,
    Clause,
    Compensate,
    ConstDecl,
    Decl,
    EnumCase,
    EnumDecl,
    ErrorDecl,
    ErrorGroup,
    EventDecl,
    Expr,
    Field,
    Flag,
    FnDecl,
    Import,
    Key,
    MetricDecl,
    MigrationDecl,
    Module,
    Name,
    Operation,
    OptionalType,
    PolicyDecl,
    PolicyItem,
    PolicyRef,
    QName,
    QueueDecl,
    RecordDecl,
    ResourceDecl,
    ScenarioDecl,
    SecretDecl,
    ServiceDecl,
    Token,
    TypeAlias,
    TypeExpr,
    TypeRef,
    With,
)

_CLAUSES = (With, Key, Compensate, Assign, Flag)


# modules


def file(context: Context, start: int, end: int, *items: object) -> Module:
    header = one(Part, items)
    decls = of((Decl, MigrationDecl, ScenarioDecl), items)
    return Module(
        start,
        end,
        header.value if header else None,
        context.doc(header.start) if header else "",
        of(Import, items),
        decls,  # type: ignore[arg-type]  # the grammar lets no other Decl stand here
        tuple(context.strays),
        context.damaged,
    )


def module_decl(_: Context, start: int, end: int, name: QName) -> Part:
    return Part(start, end, "module", name)


def import_module(_: Context, start: int, end: int, module: QName, *args: object) -> Import:
    return Import(start, end, module, part("as", args), None)


def import_names(_: Context, start: int, end: int, module: QName, *names: Name) -> Import:
    return Import(start, end, module, None, names)


def top(context: Context, _start: int, _end: int, *items: object) -> object:
    context.strays.extend(of(Annotation, items))
    return items[-1]


def annotation(_: Context, start: int, end: int, name: Name, *args: Part) -> Annotation:
    return Annotation(start, end, name, part("args", args) or ())


# types and data


def type_params(_: Context, start: int, end: int, *names: Name) -> Part:
    return Part(start, end, "type_params", names)


def default(_: Context, start: int, end: int, value: Expr) -> Part:
    return Part(start, end, "default", value)


def refinement(_: Context, start: int, end: int, value: Expr) -> Part:
    return Part(start, end, "where", value)


def type_alias(context: Context, start: int, end: int, name: Name, *rest: object) -> TypeAlias:
    where = part("where", rest)
    return TypeAlias(start, end, name, context.doc(start), part("type_params", rest) or (), written_type(rest), where)


def field(context: Context, start: int, end: int, *items: object) -> Field:
    return Field(
        start,
        end,
        of(Annotation, items),
        first(Name, items),
        written_type(items),
        part("default", items),
        part("where", items),
        context.doc(start),
    )


param = field


def params(_: Context, start: int, end: int, *items: Field) -> Part:
    return Part(start, end, "params", items)


def record_decl(context: Context, start: int, end: int, name: Name, *rest: object) -> RecordDecl:
    return RecordDecl(start, end, name, context.doc(start), part("type_params", rest) or (), of(Field, rest))


def enum_case(context: Context, start: int, end: int, name: Name, *rest: object) -> EnumCase:
    return EnumCase(start, end, name, context.doc(start), part("params", rest) or ())


def enum_decl(context: Context, start: int, end: int, name: Name, *rest: object) -> EnumDecl:
    return EnumDecl(start, end, name, context.doc(start), part("type_params", rest) or (), of(EnumCase, rest))


def error_decl(context: Context, start: int, end: int, name: Name, *rest: object) -> ErrorDecl:
    return ErrorDecl(start, end, name, context.doc(start), part("params", rest) or ())


def error_group(context: Context, start: int, end: int, name: Name, *members: QName) -> ErrorGroup:
    return ErrorGroup(start, end, name, context.doc(start), members)


def const_decl(context: Context, start: int, end: int, name: Name, kind: TypeExpr, value: Expr) -> ConstDecl:
    return ConstDecl(start, end, name, context.doc(start), kind, value)


def secret_decl(context: Context, start: int, end: int, name: Name, kind: TypeExpr) -> SecretDecl:
    return SecretDecl(start, end, name, context.doc(start), kind)


def fn_decl(context: Context, start: int, end: int, name: Name, *rest: object) -> FnDecl:
    return FnDecl(
        start,
        end,
        name,
        context.doc(start),
        part("type_params", rest) or (),
        part("params", rest),
        written_type(rest),
        first(Expr, rest),
    )


# the outside world


def event_mode(_: Context, start: int, end: int, word: int) -> Part:
    return Part(start, end, "mode", word)


def event_decl(context: Context, start: int, end: int, name: Name, *rest: object) -> EventDecl:
    key = one(Key, rest)
    mode = one(Part, [item for item in rest if isinstance(item, Part) and item.kind == "mode"])
    word = context.source.text[mode.start : mode.end] if mode else "buffered"
    fields = part("params", rest) or ()
    return EventDecl(start, end, name, context.doc(start), fields, key.value if key else None, word)


def address(_: Context, start: int, end: int, text: Token) -> Part:
    return Part(start, end, "address", text)


def service_decl(context: Context, start: int, end: int, name: Name, *rest: object) -> ServiceDecl:
    where = part("address", rest)
    return ServiceDecl(start, end, name, context.doc(start), where, one(With, rest), of(Operation, rest))


def op_kind(_: Context, start: int, end: int, word: int) -> Part:
    return Part(start, end, "kind", word)


def operation(context: Context, start: int, end: int, *items: object) -> Operation:
    kind = first(Part, items)
    clauses: tuple[Clause, ...] = of(_CLAUSES, items)
    return Operation(
        start,
        end,
        first(Name, items),
        context.doc(start),
        of(Annotation, items),
        context.source.text[kind.start : kind.end],
        part("params", items),
        part("result", items),
        part("raises", items) or (),
        clauses,
    )


def result(_: Context, start: int, end: int, kind: TypeExpr) -> Part:
    return Part(start, end, "result", kind)


def raises(_: Context, start: int, end: int, *names: QName) -> Part:
    return Part(start, end, "raises", names)


def capacity(_: Context, start: int, end: int, value: Expr) -> Part:
    return Part(start, end, "capacity", value)


def lease(_: Context, start: int, end: int, value: Expr) -> Part:
    return Part(start, end, "lease", value)


def resource_decl(context: Context, start: int, end: int, name: Name, *rest: object) -> ResourceDecl:
    rank = first(Token, rest)
    fields = part("params", rest)
    return ResourceDecl(start, end, name, context.doc(start), fields, part("capacity", rest), rank, part("lease", rest))


def queue_decl(context: Context, start: int, end: int, name: Name) -> QueueDecl:
    return QueueDecl(start, end, name, context.doc(start))


def metric_kind(_: Context, start: int, end: int, word: int) -> Part:
    return Part(start, end, "kind", word)


def metric_decl(context: Context, start: int, end: int, name: Name, *rest: object) -> MetricDecl:
    kind = first(Part, rest)
    word = context.source.text[kind.start : kind.end]
    return MetricDecl(
        start,
        end,
        name,
        context.doc(start),
        word,
        next((t for t in rest if isinstance(t, TypeRef | OptionalType | ActivityType)), None),
    )


# policies


def policy_ref(_: Context, start: int, end: int, name: QName, *args: Part) -> PolicyRef:
    return PolicyRef(start, end, name, part("args", args) or ())


def extends(_: Context, start: int, end: int, parent: PolicyRef) -> Part:
    return Part(start, end, "extends", parent)


def policy_decl(context: Context, start: int, end: int, name: Name, *rest: object) -> PolicyDecl:
    return PolicyDecl(
        start,
        end,
        name,
        context.doc(start),
        part("params", rest) or (),
        part("extends", rest),
        of(PolicyItem, rest),
    )


def p_timeout(_: Context, start: int, _end: int, limit: Expr, *rest: PolicyItem) -> list[PolicyItem]:
    return [PolicyItem(start, limit.end, "timeout", (limit,)), *rest]


def overall(_: Context, start: int, end: int, limit: Expr) -> PolicyItem:
    return PolicyItem(start, end, "overall", (limit,))


def p_try(_: Context, start: int, end: int, times: object, *rest: PolicyItem) -> list[PolicyItem]:
    count = times if isinstance(times, Expr) else None
    stop = rest[0].start if rest else end
    return [PolicyItem(start, min(stop, end), "try", (count,)), *rest]


def forever(_: Context, start: int, end: int) -> Part:
    return Part(start, end, "forever", None)


def backoff(_: Context, start: int, end: int, base: Expr, *rest: Part) -> PolicyItem:
    return PolicyItem(start, end, "backoff", (base, part("factor", rest), part("max", rest)))


def factor(_: Context, start: int, end: int, value: Expr) -> Part:
    return Part(start, end, "factor", value)


def max_(_: Context, start: int, end: int, value: Expr) -> Part:
    return Part(start, end, "max", value)


def jitter(_: Context, start: int, end: int, value: Expr) -> PolicyItem:
    return PolicyItem(start, end, "jitter", (value,))


def retry_only(_: Context, start: int, end: int, *names: QName) -> PolicyItem:
    return PolicyItem(start, end, "only", (), names)


def retry_except(_: Context, start: int, end: int, *names: QName) -> PolicyItem:
    return PolicyItem(start, end, "except", (), names)


def p_breaker(_: Context, start: int, end: int, *values: Expr) -> PolicyItem:
    return PolicyItem(start, end, "breaker", values)


def p_limit(_: Context, start: int, end: int, *values: Expr) -> PolicyItem:
    return PolicyItem(start, end, "limit", values)


def p_concurrency(_: Context, start: int, end: int, value: Expr) -> PolicyItem:
    return PolicyItem(start, end, "concurrency", (value,))


def p_heartbeat(_: Context, start: int, end: int, value: Expr) -> PolicyItem:
    return PolicyItem(start, end, "heartbeat", (value,))


def p_exhausted(_: Context, start: int, end: int, kind: Part) -> PolicyItem:
    names: tuple[QName, ...] = kind.value
    return PolicyItem(start, end, "exhausted", (), names, kind.kind)


def ex_fail(_: Context, start: int, end: int) -> Part:
    return Part(start, end, "fail", ())


def ex_dead_letter(_: Context, start: int, end: int, queue: QName) -> Part:
    return Part(start, end, "dead letter", (queue,))


def ex_park(_: Context, start: int, end: int, queue: QName) -> Part:
    return Part(start, end, "park", (queue,))


def with_named(_: Context, start: int, end: int, policy: PolicyRef) -> With:
    return With(start, end, policy, ())


def with_inline(_: Context, start: int, end: int, *items: PolicyItem) -> With:
    return With(start, end, None, items)


# clauses shared by operations and calls


def key_clause(_: Context, start: int, end: int, value: Expr) -> Key:
    return Key(start, end, value)


def assign_clause(_: Context, start: int, end: int, value: Expr) -> Assign:
    return Assign(start, end, value)


def optional(_: Context, start: int, end: int) -> Flag:
    return Flag(start, end, "optional")


def irreversible(context: Context, start: int, end: int, reason: Token) -> Compensate:
    return Compensate(start, end, "irreversible", None, None, None, plain(context, reason))
