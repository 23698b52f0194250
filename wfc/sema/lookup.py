"""What names stand for inside expressions: cases of enums, errors as forms, fields by what is known of a value."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

from wfc import problems
from wfc.ir import expressions as ir
from wfc.ir.types import (
    ANY_ERROR,
    NONE,
    SETTLED,
    UNKNOWN,
    Errors,
    Fields,
    Named,
    Optional,
    Secret,
    Type,
    TypeVar,
    mentions,
)
from wfc.problems.problem import Reporter
from wfc.sema.env import Env
from wfc.sema.forms import path_of, unwrapped
from wfc.sema.model import FieldInfo
from wfc.sema.signatures import Signatures
from wfc.sema.symbols import ModuleInfo, Symbol
from wfc.syntax import nodes as ast


class Lookup:
    """Looks names up for the expressions of one module."""

    def __init__(self, module: ModuleInfo, signatures: Signatures, report: Reporter) -> None:
        self.module = module
        self.signatures = signatures
        self.report = report

    def find_case(self, qname: ast.QName, wanted: Type | None) -> tuple[Named, str, tuple[FieldInfo, ...]] | None:
        """The case a name stands for: of the expected enum, of the enum it names, or of the only one that has it."""
        name = qname.last.text
        kind = wanted.inner if isinstance(wanted, Optional) else wanted
        if len(qname.parts) == 1:
            if isinstance(kind, Named) and kind.kind == "enum":
                cases = self.signatures.cases(kind)
                return (kind, name, cases[name]) if name in cases else None
            return self._only_case(name) if kind is None or kind == UNKNOWN else None
        prefix = ast.QName(qname.start, qname.end, qname.parts[:-1])
        if prefix.text == SETTLED:
            settled = enum_of(kind)
            if settled is None or settled.name != SETTLED:
                return None
            return settled, name, self.signatures.cases(settled)[name]
        symbol = self.module.find("types", prefix)
        if symbol is None or not isinstance(symbol.decl, ast.EnumDecl):
            return None
        if isinstance(kind, Named) and kind.name == symbol.qualified:
            enum = kind
        else:
            enum = Named("enum", symbol.qualified, tuple(UNKNOWN for _ in symbol.decl.params))
        cases = self.signatures.cases(enum)
        return (enum, name, cases[name]) if name in cases else None

    def _only_case(self, name: str) -> tuple[Named, str, tuple[FieldInfo, ...]] | None:
        """Without an expected type: the case, if one enum alone that can be written here has it."""
        found: list[Symbol] = [
            symbol
            for symbol in self.module.types.values()
            if isinstance(symbol.decl, ast.EnumDecl) and any(c.name.text == name for c in symbol.decl.cases)
        ]
        if len(found) != 1:
            return None
        decl = found[0].decl
        assert isinstance(decl, ast.EnumDecl)
        self.module.used.add(found[0].name)
        kind = Named("enum", found[0].qualified, tuple(UNKNOWN for _ in decl.params))
        return kind, name, self.signatures.cases(kind)[name]

    def expected_cases(self, wanted: Type | None) -> tuple[str, ...]:
        kind = enum_of(wanted)
        return tuple(self.signatures.cases(kind)) if kind is not None else ()

    def form(self, name: ast.QName, kind: Type, node: ast.Node) -> tuple[str, str] | None:
        """The case or error that a name stands for as a form of a type: its sort and its name."""
        inner = kind.inner if isinstance(kind, Optional) else kind
        if isinstance(inner, Named) and inner.kind == "enum":
            case = self.find_case(name, inner)
            if case is not None and case[0].name == inner.name:
                return "case", case[1]
            known = tuple(self.signatures.cases(inner))
            self.report(
                problems.UnknownName(
                    at=self.module.at(name), kind=f"case of {a_type(inner)}", name=name.text, known=known
                )
            )
            return None
        if isinstance(inner, Errors) or inner == ANY_ERROR:
            names = self.signatures.errors(self.module, name)
            if len(names) == 1:
                return "error", names[0]
            if names:
                text = f"`{name.text}` is a group of errors: ask for one of them"
                self.report(problems.MismatchedType(at=self.module.at(name), text=text))
            return None
        if not isinstance(inner, TypeVar) and inner != UNKNOWN:
            text = f"{a_type(kind)} has no cases to ask for"
            self.report(problems.MismatchedType(at=self.module.at(node), text=text))
        return None

    def fields_of(self, kind: Type, target: ir.Expr, env: Env) -> tuple[dict[str, Type], tuple[str, ...]]:
        """The fields that can be read of a value, and the forms it is known to be among."""
        match kind:
            case Named("record" | "event", _, _):
                return {f.name: f.type for f in self.signatures.record(kind)}, ()
            case Fields(fields):
                return dict(fields), ()
            case Named("enum", _, _):
                cases = self.signatures.cases(kind)
                path = path_of(unwrapped(target))
                forms = env.fact(path) if path else None
                known = tuple(case for case in cases if forms is None or case in forms)
                return _common({f.name: f.type for f in cases[case]} for case in known), known
            case Errors(names):
                path = path_of(unwrapped(target))
                forms = env.fact(path) if path else None
                known = tuple(name for name in names if forms is None or name in forms)
                return _common({f.name: f.type for f in self.signatures.error_fields(n)} for n in known), known
            case _:
                return {}, ()


def enum_of(kind: Type | None) -> Named | None:
    """The enum that a type is, present or not."""
    inner = kind.inner if isinstance(kind, Optional) else kind
    return inner if isinstance(inner, Named) and inner.kind == "enum" else None


def is_enum(kind: Type | None) -> bool:
    """Whether a type is an enum, and never absent."""
    return isinstance(kind, Named) and kind.kind == "enum"


def _common(tables: Iterable[dict[str, Type]]) -> dict[str, Type]:
    """The fields that all of some cases have, with one type."""
    every = list(tables)
    if not every:
        return {}
    first, *rest = every
    return {name: kind for name, kind in first.items() if all(other.get(name) == kind for other in rest)}


def holds_secret(kind: Type) -> bool:
    """Whether a value of a type is a secret or has one inside."""
    return isinstance(kind, Secret) or any(holds_secret(inner) for inner in mentions(kind))


def a_type(kind: Type) -> str:
    """A type as a message names it: `a Text`, `an Int`, `a Text?`."""
    if kind == NONE:
        return "`none`"
    text = str(kind)
    article = "an" if text[:1] in "AEIOU" and not text.startswith("US") else "a"
    return f"{article} `{text}`"


def instant_of(text: object) -> int | None:
    """Milliseconds of an ISO instant in UTC."""
    if not isinstance(text, str) or not text.endswith("Z"):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)


def date_of(text: object) -> str | None:
    """An ISO date in its normal form."""
    if not isinstance(text, str):
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None
