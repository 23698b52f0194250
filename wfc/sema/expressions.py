"""Types expressions and turns them into the machine's: names resolved, widening written out, facts used."""

from collections.abc import Callable
from decimal import Decimal

from wfc import problems
from wfc.ir import expressions as ir
from wfc.ir.types import (
    ANY_ERROR,
    ASSIGNEE,
    BOOL,
    DATE,
    DECIMAL,
    DURATION,
    INSTANT,
    INT,
    NEVER,
    NONE,
    QUEUE,
    TEXT,
    UNKNOWN,
    Errors,
    ListOf,
    MapOf,
    Money,
    Named,
    Optional,
    Secret,
    Type,
    optional,
    substitute,
)
from wfc.problems.problem import Edit, Fix, Reporter
from wfc.sema import arithmetic, members
from wfc.sema.declare import check_reserved
from wfc.sema.env import Binding, Env
from wfc.sema.forms import NONE_FORM, facts, path_of, unwrapped, widened
from wfc.sema.lookup import Lookup, a_type, date_of, enum_of, holds_secret, instant_of, is_enum
from wfc.sema.model import FieldInfo
from wfc.sema.signatures import Signatures, as_qname
from wfc.sema.symbols import ModuleInfo, Symbol
from wfc.syntax import nodes as ast
from wfc.text.durations import parse_duration

MAX_INT = 2**53 - 1
_MAX_DIGITS = 100
_UNWRAP = "give a value for `none` with `??`, or ask `is none` first"
_INSERTED = (TEXT, INT, DECIMAL, BOOL, DURATION, INSTANT, DATE)
_PURE_BUILT_INS = ("instant", "date", "role", "person", "now")


class Typer(Lookup):
    """Types the expressions of one module. `clock` says whether `now()` may be read."""

    def __init__(self, module: ModuleInfo, signatures: Signatures, report: Reporter) -> None:
        super().__init__(module, signatures, report)
        self.clock = True
        self.on_read: Callable[[str, Binding], None] = lambda _name, _binding: None

    # -- entry points

    def typed(self, node: ast.Expr, env: Env, wanted: Type) -> ir.Expr:
        """An expression whose value must have a type."""
        return self.coerce(self.infer(node, env, wanted), wanted, node)

    def value(self, node: ast.Expr, env: Env, wanted: Type | None = None) -> ir.Expr:
        """An expression whose value is bound or shown: of any type but a secret."""
        found = self.infer(node, env, wanted) if wanted is None else self.typed(node, env, wanted)
        return self.public(found, node)

    def public(self, found: ir.Expr, node: ast.Expr) -> ir.Expr:
        """Reports a secret that would become visible."""
        if holds_secret(found.type):
            self.report(problems.SecretLeak(at=self.module.at(node), name=self.module.at(node).text))
            return ir.Lit(UNKNOWN, None)
        return found

    def facts(self, test: ir.Expr, truth: bool) -> dict[tuple[str, ...], frozenset[str]]:  # noqa: FBT001 - what the condition turned out to be
        """What a condition tells."""
        return facts(test, truth, self.signatures)

    def coerce(self, found: ir.Expr, wanted: Type, node: ast.Expr) -> ir.Expr:
        """The value as the wanted type, widened if need be; else a problem."""
        have = found.type
        if have == wanted or UNKNOWN in (have, wanted):
            return found
        if wanted == DECIMAL and have == INT:
            return ir.Op(DECIMAL, "decimal", (found,))
        if isinstance(wanted, Optional):
            if have == NONE:
                return ir.Lit(wanted, None)
            if not isinstance(have, Optional):
                inner = self._quietly(found, wanted.inner)
                if inner is not None:
                    return inner
        if wanted == ANY_ERROR and isinstance(have, Errors):
            return found
        if isinstance(wanted, Errors) and isinstance(have, Errors) and set(have.names) <= set(wanted.names):
            return found
        if have == ListOf(NEVER) and isinstance(wanted, ListOf) and isinstance(found, ir.Items):
            return ir.Items(wanted, ())
        if isinstance(have, Secret):
            return self.public(found, node)
        self._mismatch(node, have, wanted)
        return ir.Lit(UNKNOWN, None)

    def _quietly(self, found: ir.Expr, wanted: Type) -> ir.Expr | None:
        """The value as another type, without a problem where it cannot be."""
        if found.type in (wanted, UNKNOWN) or wanted == UNKNOWN:
            return found
        if wanted == DECIMAL and found.type == INT:
            return ir.Op(DECIMAL, "decimal", (found,))
        if isinstance(found.type, Errors) and (
            wanted == ANY_ERROR or (isinstance(wanted, Errors) and set(found.type.names) <= set(wanted.names))
        ):
            return found
        return None

    def _mismatch(self, node: ast.Expr, have: Type, wanted: Type) -> None:
        advice = ""
        fixes: tuple[Fix, ...] = ()
        if isinstance(have, Optional) and have.inner == wanted:
            advice = _UNWRAP
        elif wanted == TEXT and (have in _INSERTED or isinstance(have, Money)):
            advice = 'insert it into a text: `"{...}"`'
            written = self.module.at(node).text
            if '"' not in written:
                fixes = (Fix("insert it into a text", (Edit(self.module.at(node), f'"{{{written}}}"'),)),)
        text = f"this is {a_type(have)}, and {a_type(wanted)} is needed here"
        self.report(problems.MismatchedType(at=self.module.at(node), text=text, advice=advice, fixes=fixes))

    # -- inference

    def infer(self, node: ast.Expr, env: Env, wanted: Type | None = None) -> ir.Expr:
        """An expression and its type. `wanted` helps to find cases and to type literals; it is not enforced."""
        match node:
            case ast.Plain():
                return self._literal(node)
            case ast.TextLiteral(parts=parts):
                return self._text(node, parts, env)
            case ast.NameExpr():
                return self._name(node, env, wanted)
            case ast.Member():
                return self._member(node, env, wanted)
            case ast.Apply():
                return self._apply(node, env, wanted)
            case ast.Index(target=target, index=index):
                return self._index(target, index, env)
            case ast.Unary(op="not", operand=operand):
                return ir.Op(BOOL, "not", (self.typed(operand, env, BOOL),))
            case ast.Unary(operand=operand):
                return self._negative(operand, env)
            case ast.Binary():
                return self._binary(node, env, wanted)
            case ast.IsExpr():
                return self._is(node, env)
            case ast.Cond(test=test, yes=yes, no=no):
                condition = self.typed(test, env, BOOL)
                left = self.infer(yes, env.learn(self.facts(condition, True)), wanted)
                right = self.infer(no, env.learn(self.facts(condition, False)), wanted)
                kind = self._one_type(node, left, right, wanted)
                return ir.If(kind, condition, self.coerce(left, kind, yes), self.coerce(right, kind, no))
            case ast.ListExpr(items=items):
                return self._list(node, items, env, wanted)
            case ast.Lambda():
                text = "a function like this stands only as the argument of a list function"
                self.report(problems.MismatchedType(at=self.module.at(node), text=text))
                return ir.Lit(UNKNOWN, None)
            case _:
                return ir.Lit(UNKNOWN, None)

    def _one_type(self, node: ast.Expr, left: ir.Expr, right: ir.Expr, wanted: Type | None) -> Type:
        """The type of a value that comes from one of two places."""
        if wanted is not None and all(self._quietly(x, wanted) or x.type == NONE for x in (left, right)):
            return wanted
        kind = widened(left.type, right.type)
        if kind is None:
            text = f"one way gives {a_type(left.type)}, the other {a_type(right.type)}"
            self.report(problems.MismatchedType(at=self.module.at(node), text=text))
            return UNKNOWN
        return kind

    def _literal(self, node: ast.Plain) -> ir.Expr:
        text = node.text
        match node.kind:
            case "Int":
                if len(text) > _MAX_DIGITS or int(text) > MAX_INT:
                    message = f"the largest Int is {MAX_INT}"
                    self.report(problems.MismatchedType(at=self.module.at(node), text=message))
                    return ir.Lit(UNKNOWN, None)
                return ir.Lit(INT, int(text))
            case "Decimal":
                return ir.Lit(DECIMAL, text)
            case "Percent":
                return ir.Lit(DECIMAL, format((Decimal(text[:-1]) / 100), "f"))
            case "Duration":
                length = parse_duration(text)
                if length is None or length > MAX_INT:
                    self.report(problems.MismatchedType(at=self.module.at(node), text="this duration is too long"))
                    return ir.Lit(UNKNOWN, None)
                return ir.Lit(DURATION, length)
            case "Money":
                return ir.Lit(Money(text[-3:]), text[:-3])
            case "Bool":
                return ir.Lit(BOOL, text == "true")
            case _:
                return ir.Lit(NONE, None)

    def _text(self, node: ast.TextLiteral, parts: tuple[str | ast.Expr, ...], env: Env) -> ir.Expr:
        if len(parts) == 1 and isinstance(parts[0], str):
            return ir.Lit(TEXT, parts[0])
        found: list[ir.Expr] = []
        for part in parts:
            if isinstance(part, str):
                found.append(ir.Lit(TEXT, part))
                continue
            value = self.value(part, env)
            kind = value.type
            if not (kind in _INSERTED or kind == UNKNOWN or isinstance(kind, Money)) and not is_enum(kind):
                advice = _UNWRAP if isinstance(kind, Optional) else ""
                text = f"{a_type(kind)} cannot be inserted into a text"
                self.report(problems.MismatchedType(at=self.module.at(part), text=text, advice=advice))
            found.append(value)
        _ = node
        return ir.Interp(TEXT, tuple(found))

    def _list(self, node: ast.Expr, items: tuple[ast.Expr, ...], env: Env, wanted: Type | None) -> ir.Expr:
        inner = wanted.item if isinstance(wanted, ListOf) else None
        if inner is not None:
            return ir.Items(ListOf(inner), tuple(self.typed(item, env, inner) for item in items))
        found = [self.infer(item, env) for item in items]
        kind: Type = NEVER
        for value in found:
            merged = widened(kind, value.type)
            if merged is None:
                text = f"a list holds values of one type, and here are {a_type(kind)} and {a_type(value.type)}"
                self.report(problems.MismatchedType(at=self.module.at(node), text=text))
                return ir.Lit(UNKNOWN, None)
            kind = merged
        return ir.Items(ListOf(kind), tuple(self.coerce(x, kind, n) for x, n in zip(found, items, strict=True)))

    # -- names

    def _name(self, node: ast.NameExpr, env: Env, wanted: Type | None) -> ir.Expr:
        binding = env.find(node.text)
        if binding is not None:
            self.on_read(node.text, binding)
            return self._narrowed(ir.Ref(binding.type, binding.kind, node.text), env)
        if env.is_known(node.text):
            self.on_read(node.text, Binding("local", UNKNOWN))
            self.report(problems.UnassignedName(at=self.module.at(node), name=node.text))
            return ir.Lit(UNKNOWN, None)
        name = ast.Name(node.start, node.end, node.text)
        found = self._global(ast.QName(node.start, node.end, (name,)), wanted)
        if found is not None:
            return found
        known = (*env.all_names(), *self.module.readable("values"), *self.expected_cases(wanted))
        self.report(problems.UnknownName(at=self.module.at(node), kind="name", name=node.text, known=tuple(known)))
        return ir.Lit(UNKNOWN, None)

    def _global(self, qname: ast.QName, wanted: Type | None) -> ir.Expr | None:
        """A constant, secret or queue of a module, or a case of an enum."""
        symbol = self.module.find("values", qname)
        if symbol is not None:
            match symbol.decl:
                case ast.ConstDecl(type=kind):
                    return ir.Ref(self.signatures.type(symbol.module, kind), "const", symbol.qualified)
                case ast.SecretDecl(type=kind):
                    return ir.Ref(Secret(self.signatures.type(symbol.module, kind)), "secret", symbol.qualified)
                case ast.QueueDecl():
                    return ir.Ref(QUEUE, "queue", symbol.qualified)
                case _:
                    pass
        case = self.find_case(qname, wanted)
        if case is None:
            return self._bare_error(qname)
        enum, name, fields = case
        return self._construct(enum, name, fields, (), Env(), qname)

    def _bare_error(self, qname: ast.QName) -> ir.Expr | None:
        """An error without fields, written without parentheses."""
        symbol = self.module.find("faults", qname)
        if symbol is not None and isinstance(symbol.decl, ast.ErrorDecl):
            fields = self.signatures.error_fields(symbol.qualified)
            return self._construct(Errors((symbol.qualified,)), "", fields, (), Env(), qname)
        if qname.text in _BUILT_IN_ERROR_NAMES:
            return ir.New(Errors((qname.text,)), "", ())
        return None

    def _narrowed(self, found: ir.Expr, env: Env) -> ir.Expr:
        """A read name or path, with what is known of its presence."""
        if isinstance(found.type, Optional):
            path = path_of(found)
            forms = env.fact(path) if path else None
            if forms is not None and NONE_FORM not in forms:
                return ir.Op(found.type.inner, "some", (found,))
        return found

    # -- fields and members

    def _member(self, node: ast.Member, env: Env, wanted: Type | None) -> ir.Expr:
        qname = self._outside_name(node, env)
        if qname is not None:
            found = self._global(qname, wanted)
            if found is not None:
                return found
        target = self.infer(node.target, env)
        return self._read_field(target, node, env)

    def _outside_name(self, node: ast.Expr, env: Env) -> ast.QName | None:
        """The qualified name that an expression is, if its first part is not bound here."""
        qname = as_qname(node)
        if qname is None or env.find(qname.parts[0].text) is not None or env.is_known(qname.parts[0].text):
            return None
        return qname

    def _read_field(self, target: ir.Expr, node: ast.Member, env: Env) -> ir.Expr:
        kind = target.type
        name = node.name.text
        if kind == UNKNOWN:
            return target
        if node.optional:
            if not isinstance(kind, Optional):
                text = f"this is {a_type(kind)}, never `none`: a plain `.` reads its fields"
                self.report(problems.MismatchedType(at=self.module.at(node.name), text=text))
                return ir.Lit(UNKNOWN, None)
            kind = kind.inner
        fields, cases = self.fields_of(kind, target, env)
        if name in fields:
            given = optional(fields[name]) if node.optional else fields[name]
            return self._narrowed(ir.Get(given, target, name, node.optional, cases), env)
        shapes = members.members(kind)
        member = next(
            (known for known, shape in shapes.items() if known == name and shape in ("plain", "either")), None
        )
        if member is not None:
            self._check_aggregate(kind, name, None, node)
            result = members.result(kind, member, None)
            return ir.Member(optional(result) if node.optional else result, member, target, (), node.optional)
        if isinstance(kind, Secret):
            return self.public(target, node.target)
        self._no_field(kind, node, (*fields, *shapes))
        return ir.Lit(UNKNOWN, None)

    def _no_field(self, kind: Type, node: ast.Member, known: tuple[str, ...]) -> None:
        at = self.module.at(node.name)
        name = node.name.text
        if isinstance(kind, Optional):
            text = f"this is {a_type(kind)}: it may be `none`, and then it has no `{name}`"
            self.report(problems.MismatchedType(at=at, text=text, advice=f"{_UNWRAP}, or read it with `?.{name}`"))
            return
        hint = ""
        enum = enum_of(kind)
        if enum is not None:
            cases = self.signatures.cases(enum)
            having = [case for case, fields in cases.items() if any(f.name == name for f in fields)]
            if having:
                hint = f"only {', '.join(having)} has it: ask with `is` or `choose` first"
        elif name in members.members(kind):
            hint = f"`{name}` needs its argument: `{name}(...)`"
        self.report(problems.UnknownName(at=at, kind=f"field of {a_type(kind)}", name=name, known=known, hint=hint))

    def _index(self, target: ast.Expr, index: ast.Expr, env: Env) -> ir.Expr:
        of = self.infer(target, env)
        match of.type:
            case ListOf(item):
                return ir.Op(optional(item), "index", (of, self.typed(index, env, INT)))
            case MapOf(item):
                return ir.Op(optional(item), "index", (of, self.typed(index, env, TEXT)))
            case kind:
                if kind != UNKNOWN:
                    text = f"{a_type(kind)} has no places to look up"
                    self.report(problems.MismatchedType(at=self.module.at(target), text=text))
        self.infer(index, env)
        return ir.Lit(UNKNOWN, None)

    # -- calls

    def _apply(self, node: ast.Apply, env: Env, wanted: Type | None) -> ir.Expr:
        qname = self._outside_name(node.target, env)
        if qname is not None:
            if len(qname.parts) == 1 and qname.text in _PURE_BUILT_INS and self.module.find("values", qname) is None:
                return self._built_in(qname.text, node, env)
            found = self._call(qname, node, env, wanted)
            if found is not None:
                return found
        if isinstance(node.target, ast.Member):
            return self._call_member(node, node.target, env)
        name = self.module.at(node.target).text
        known = tuple(self.module.readable("values"))
        self.report(problems.UnknownName(at=self.module.at(node.target), kind="function", name=name, known=known))
        return ir.Lit(UNKNOWN, None)

    def _call(self, qname: ast.QName, node: ast.Apply, env: Env, wanted: Type | None) -> ir.Expr | None:
        """A function, a record, a case or an error by name."""
        symbol = self.module.find("values", qname)
        if symbol is not None and isinstance(symbol.decl, ast.FnDecl):
            return self._call_function(symbol, symbol.decl, node, env)
        if symbol is not None and isinstance(symbol.decl, ast.RecordDecl):
            return self._call_record(symbol, symbol.decl, node, env, wanted)
        case = self.find_case(qname, wanted)
        if case is not None:
            kind, name, fields = case
            return self._construct(kind, name, fields, node.args, env, node)
        fault = self.module.find("faults", qname)
        if fault is not None and isinstance(fault.decl, ast.ErrorDecl):
            fields = self.signatures.error_fields(fault.qualified)
            return self._construct(Errors((fault.qualified,)), "", fields, node.args, env, node)
        if qname.text in _BUILT_IN_ERROR_NAMES:
            for arg in node.args:
                self.typed(arg.value, env, TEXT)
            return ir.New(Errors((qname.text,)), "", ())
        if symbol is not None:
            text = f"`{qname.text}` is a {symbol.kind}: it cannot be called in an expression"
            advice = "calls of services and workflows are steps: `do ...`"
            self.report(problems.MismatchedType(at=self.module.at(node), text=text, advice=advice))
            return ir.Lit(UNKNOWN, None)
        return None

    def _call_function(self, symbol: Symbol, decl: ast.FnDecl, node: ast.Apply, env: Env) -> ir.Expr:
        params = frozenset(p.text for p in decl.type_params)
        fields = self.signatures.fields(symbol.module, decl, decl.params, params)
        result = self.signatures.type(symbol.module, decl.result, params)
        values, bound = self.arguments(symbol.name, fields, node.args, env, node, params)

        return ir.Apply(substitute(result, bound), symbol.qualified, values)

    def _call_record(
        self, symbol: Symbol, decl: ast.RecordDecl, node: ast.Apply, env: Env, wanted: Type | None
    ) -> ir.Expr:
        params = tuple(p.text for p in decl.params)
        fields = self.signatures.fields(symbol.module, decl, decl.fields, frozenset(params))
        inner = wanted.inner if isinstance(wanted, Optional) else wanted
        given: dict[str, Type] = {}
        if isinstance(inner, Named) and inner.name == symbol.qualified:
            given = dict(zip(params, inner.args, strict=False))
        values, bound = self.arguments(symbol.name, fields, node.args, env, node, frozenset(params), given)
        kind = Named("record", symbol.qualified, tuple(bound.get(p, UNKNOWN) for p in params))
        made = ir.New(kind, "", tuple((f.name, v) for f, v in zip(fields, values, strict=False)))
        return arithmetic.refined(made, fields, bound, node, self)

    def _construct(
        self,
        kind: Type,
        case: str,
        fields: tuple[FieldInfo, ...],
        args: tuple[ast.Argument, ...],
        env: Env,
        node: ast.Node,
    ) -> ir.Expr:
        """A case or an error with its fields."""
        name = case or (kind.names[0].rpartition(".")[2] if isinstance(kind, Errors) else "")
        values, _ = self.arguments(name, fields, args, env, node)
        return ir.New(kind, case, tuple((f.name, v) for f, v in zip(fields, values, strict=False)))

    def arguments(
        self,
        name: str,
        params: tuple[FieldInfo, ...],
        args: tuple[ast.Argument, ...],
        env: Env,
        node: ast.Node,
        type_params: frozenset[str] = frozenset(),
        bound: dict[str, Type] | None = None,
    ) -> tuple[tuple[ir.Expr, ...], dict[str, Type]]:
        """The arguments of a call in order of the parameters, and what the type parameters stand for."""
        from wfc.sema.calls import match_arguments  # noqa: PLC0415 - calls types arguments with this class

        return match_arguments(self, name, params, args, env, node, type_params, bound or {})

    def _call_member(self, node: ast.Apply, target: ast.Member, env: Env) -> ir.Expr:
        """A built-in member with something in its parentheses."""
        of = self.infer(target.target, env)
        kind = of.type
        if target.optional and isinstance(kind, Optional):
            kind = kind.inner
        name = target.name.text
        shapes = members.members(kind)
        shape = shapes.get(name)  # type: ignore[call-overload]  # any text may be asked for
        if kind == UNKNOWN:
            return of
        if shape is None or shape == "plain" or len(node.args) != 1:
            if shape is None:
                self._no_field(kind, target, tuple(shapes))
            else:
                wanted = "nothing" if shape == "plain" else "one argument"
                self.report(problems.MissingArgument(at=self.module.at(node), text=f"`{name}` takes {wanted}"))
            return ir.Lit(UNKNOWN, None)
        arg = node.args[0].value
        if shape == "text":
            value: ir.Expr = self.typed(arg, env, TEXT)
            inner = None
        else:
            assert isinstance(kind, ListOf)
            value = self._function(arg, kind.item, env, BOOL if name in _PREDICATES else None)
            inner = value.type
            self._check_aggregate(kind, name, inner, target)
        result = members.result(kind, name, inner)  # type: ignore[arg-type]  # found in the table
        return ir.Member(optional(result) if target.optional else result, name, of, (value,), target.optional)  # type: ignore[arg-type]

    def _function(self, node: ast.Expr, item: Type, env: Env, wanted: Type | None) -> ir.Expr:
        """The function handed to a list function."""
        if not isinstance(node, ast.Lambda):
            text = "a function is needed here: `x => ...`"
            self.report(problems.MismatchedType(at=self.module.at(node), text=text))
            return ir.Lit(UNKNOWN, None)
        name = node.param.text
        check_reserved(self.module, node.param, self.report)
        if env.find(name) is not None or env.is_known(name) or name in self.module.values:
            self.report(problems.DuplicateName(at=self.module.at(node.param), name=name, fixes=()))
        inside = env.inner().bind(name, Binding("lambda", item))
        body = self.infer(node.body, inside, wanted)
        body = self.coerce(body, wanted, node.body) if wanted is not None else self.public(body, node.body)
        return ir.Fn(body.type, name, item, body)

    def _check_aggregate(self, kind: Type, name: str, inner: Type | None, node: ast.Member) -> None:
        """`sum`, `min`, `max` and `sortBy` work on some types only."""
        if not isinstance(kind, ListOf):
            return
        item = inner or kind.item
        wrong = (name == "sum" and not members.is_summable(item)) or (
            name in ("min", "max", "sortBy") and not members.is_ordered(item)
        )
        if wrong and item not in (UNKNOWN, NEVER):
            text = f"`{name}` does not work on {a_type(item)}"
            self.report(problems.MismatchedType(at=self.module.at(node.name), text=text))

    def _built_in(self, name: str, node: ast.Apply, env: Env) -> ir.Expr:
        """`now()`, `instant("...")`, `date("...")`, `role("...")`, `person(e)`."""
        if name == "now":
            if node.args:
                self.report(problems.MissingArgument(at=self.module.at(node), text="`now` takes nothing"))
            if not self.clock:
                text = "`now()` has no place here: this must always have the same value"
                self.report(problems.MismatchedType(at=self.module.at(node), text=text))
            return ir.Now(INSTANT)
        if len(node.args) != 1:
            self.report(problems.MissingArgument(at=self.module.at(node), text=f"`{name}` takes one text"))
            return ir.Lit(UNKNOWN, None)
        value = self.typed(node.args[0].value, env, TEXT)
        if name in ("role", "person"):
            return ir.Who(ASSIGNEE, "role" if name == "role" else "person", value)
        written = value.value if isinstance(value, ir.Lit) else None
        moment: str | int | None = instant_of(written) if name == "instant" else date_of(written)
        if moment is None:
            form = '"2026-01-31T09:00:00Z"' if name == "instant" else '"2026-01-31"'
            message = f"`{name}` takes a text of this form: {form}"
            self.report(problems.MismatchedType(at=self.module.at(node.args[0]), text=message))
        return ir.Lit(INSTANT if name == "instant" else DATE, moment)

    # -- operators

    def _negative(self, operand: ast.Expr, env: Env) -> ir.Expr:
        value = self.infer(operand, env)
        if value.type in (INT, DECIMAL, DURATION, UNKNOWN) or isinstance(value.type, Money):
            return ir.Op(value.type, "neg", (value,))
        text = f"{a_type(value.type)} cannot be negative"
        self.report(problems.MismatchedType(at=self.module.at(operand), text=text))
        return ir.Lit(UNKNOWN, None)

    def _binary(self, node: ast.Binary, env: Env, wanted: Type | None) -> ir.Expr:
        match node.op:
            case "and" | "or":
                left = self.typed(node.left, env, BOOL)
                right = self.typed(node.right, env.learn(self.facts(left, node.op == "and")), BOOL)
                return ir.Op(BOOL, "and" if node.op == "and" else "or", (left, right))
            case "??":
                return self._coalesce(node, env, wanted)
            case "in":
                return self._contains(node, env)
            case "==" | "!=" | "<" | "<=" | ">" | ">=":
                return arithmetic.compared(node, env, self)
            case _:
                return arithmetic.computed(node, env, self, wanted)

    def _coalesce(self, node: ast.Binary, env: Env, wanted: Type | None) -> ir.Expr:
        hope = optional(wanted) if wanted is not None else None
        left = self.infer(node.left, env, hope)
        if left.type == UNKNOWN:
            self.infer(node.right, env, wanted)
            return left
        if not isinstance(left.type, Optional):
            text = f"this is {a_type(left.type)} and never `none`: `??` has nothing to do"
            self.report(problems.MismatchedType(at=self.module.at(node.left), text=text))
            return left
        inner = left.type.inner
        right = self.infer(node.right, env, inner if inner != NEVER else wanted)
        kind = widened(inner, right.type)
        if kind is None:
            self._mismatch(node.right, right.type, inner)
            return ir.Lit(UNKNOWN, None)
        left_type = optional(kind)
        if kind == DECIMAL and inner == INT:
            left = ir.Op(left_type, "decimal", (left,))
        return ir.Op(kind, "??", (left, self.coerce(right, kind, node.right)))

    def _contains(self, node: ast.Binary, env: Env) -> ir.Expr:
        right = self.public(self.infer(node.right, env), node.right)
        if isinstance(right.type, MapOf):
            return ir.Op(BOOL, "in", (self.typed(node.left, env, TEXT), right))
        if isinstance(right.type, ListOf):
            left = self.typed(node.left, env, right.type.item)
            return ir.Op(BOOL, "in", (left, right))
        left = self.infer(node.left, env)
        if right.type != UNKNOWN:
            text = f"`in` asks for an element of a list or a key of a map, and this is {a_type(right.type)}"
            self.report(problems.MismatchedType(at=self.module.at(node.right), text=text))
        return ir.Op(BOOL, "in", (left, right))

    def _is(self, node: ast.IsExpr, env: Env) -> ir.Expr:
        target = self.infer(node.operand, env)
        kind = unwrapped(target).type if node.case is None else target.type
        if target.type == UNKNOWN:
            return ir.Lit(BOOL, False)
        if node.case is None:
            if not isinstance(kind, Optional):
                text = f"this is {a_type(target.type)} and never `none`"
                self.report(problems.MismatchedType(at=self.module.at(node), text=text))
            return ir.Is(BOOL, target, "none")
        found = self.form(node.case, target.type, node)
        if found is None:
            return ir.Lit(BOOL, False)
        sort, name = found
        return ir.Is(BOOL, target, "error" if sort == "error" else "case", name)


_PREDICATES = ("filter", "count", "any", "all", "find")
_BUILT_IN_ERROR_NAMES = ("Timeout", "Unavailable", "Invalid", "LockTimeout", "LockLost", "AlreadyRunning")
