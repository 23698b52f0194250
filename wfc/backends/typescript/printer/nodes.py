"""What the printer reads: expressions and types of TypeScript, as far as we write them.

A block of statements is a document already, since nothing asks what is in it.
"""

from dataclasses import dataclass
from typing import TypeAlias

from wfc.text.doc import Doc


@dataclass(slots=True, eq=False)
class Name:
    """An identifier."""

    text: str


@dataclass(slots=True, eq=False)
class Literal:
    """A number, a text or a truth value, as it is written."""

    kind: str
    text: str


@dataclass(slots=True, eq=False)
class Template:
    """A template literal, as it is written: nothing in it is ever broken."""

    text: str


@dataclass(slots=True, eq=False)
class Member:
    """`of.name`, or `of?.name`."""

    of: "Expression"
    name: str
    mark: str


@dataclass(slots=True, eq=False)
class Index:
    """`of[at]`."""

    of: "Expression"
    at: "Expression"
    mark: str


@dataclass(slots=True, eq=False)
class Call:
    """A call, perhaps with type arguments."""

    callee: "Expression"
    types: "tuple[Shape, ...]"
    args: "tuple[Expression, ...]"
    mark: str


@dataclass(slots=True, eq=False)
class New:
    """`new X(..)`."""

    callee: "Expression"
    types: "tuple[Shape, ...]"
    args: "tuple[Expression, ...]"


@dataclass(slots=True, eq=False)
class Block:
    """The body of a function: its statements in braces."""

    doc: Doc


@dataclass(slots=True, eq=False)
class Param:
    """A parameter, with its type if it says one."""

    name: str
    type: "Shape | None"


@dataclass(slots=True, eq=False)
class Arrow:
    """An arrow function."""

    head: str
    generics: str
    params: tuple[Param, ...]
    result: "Shape | None"
    body: "Expression | Block"


@dataclass(slots=True, eq=False)
class Property:
    """A property of an object; without a value it is a shorthand."""

    above: Doc
    key: str
    value: "Expression | None"
    gap: bool


@dataclass(slots=True, eq=False)
class Definition:
    """A property that is a function with a block."""

    above: Doc
    name: str
    params: tuple[Param, ...]
    body: Doc
    gap: bool


@dataclass(slots=True, eq=False)
class Object:
    """An object; `open` if its first property stood on a line of its own."""

    items: "tuple[Property | Definition | Spread, ...]"
    is_open: bool


@dataclass(slots=True, eq=False)
class Array:
    """A list."""

    items: "tuple[Expression, ...]"


@dataclass(slots=True, eq=False)
class Spread:
    """`...value`."""

    value: "Expression"


@dataclass(slots=True, eq=False)
class Unary:
    """`!value` or `-value`."""

    sign: str
    value: "Expression"


@dataclass(slots=True, eq=False)
class Await:
    """`await value`."""

    value: "Expression"


@dataclass(slots=True, eq=False)
class Binary:
    """Two operands."""

    sign: str
    left: "Expression"
    right: "Expression"


@dataclass(slots=True, eq=False)
class Conditional:
    """`test ? yes : no`."""

    test: "Expression"
    yes: "Expression"
    no: "Expression"


@dataclass(slots=True, eq=False)
class Cast:
    """`value as T`, or `value satisfies T`."""

    value: "Expression"
    word: str
    type: "Shape"


@dataclass(slots=True, eq=False)
class NonNull:
    """`value!`."""

    value: "Expression"


@dataclass(slots=True, eq=False)
class Assign:
    """`target = value`, or `target += value`."""

    target: "Expression"
    sign: str
    value: "Expression"


@dataclass(slots=True, eq=False)
class Word:
    """A type that is a keyword or a literal."""

    text: str


@dataclass(slots=True, eq=False)
class Reference:
    """A type by its name, perhaps with arguments."""

    name: str
    args: "tuple[Shape, ...]"


@dataclass(slots=True, eq=False)
class Items:
    """`of[]`."""

    of: "Shape"


@dataclass(slots=True, eq=False)
class Modified:
    """`readonly T`, `keyof T`, `typeof x`."""

    word: str
    of: "Shape"


@dataclass(slots=True, eq=False)
class Union:
    """Types, each with the comment above it."""

    types: "tuple[tuple[Doc, Shape], ...]"


@dataclass(slots=True, eq=False)
class Field:
    """A member of a type: its comment, its name with what stands before and behind, and its type."""

    above: Doc
    name: str
    type: "Shape"
    gap: bool


@dataclass(slots=True, eq=False)
class Method:
    """A member of a type that is called."""

    above: Doc
    name: str
    params: tuple[Param, ...]
    result: "Shape"
    gap: bool


@dataclass(slots=True, eq=False)
class Members:
    """A type made of members; `is_open` if the first stood on a line of its own."""

    items: "tuple[Field | Method, ...]"
    is_open: bool


@dataclass(slots=True, eq=False)
class Signature:
    """The type of a function."""

    params: tuple[Param, ...]
    result: "Shape"


Expression: TypeAlias = (
    Name | Literal | Template | Member | Index | Call | New | Arrow | Object | Array | Spread | Unary | Await
    | Binary | Conditional | Cast | NonNull | Assign
)  # fmt: skip
Shape: TypeAlias = Word | Reference | Items | Modified | Union | Members | Signature
