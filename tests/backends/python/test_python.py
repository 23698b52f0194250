"""The Python backend: what it emits passes mypy and ruff, says what really arrives, and fits what people write after it."""

import importlib
import os
import re
import subprocess
import sys
import types
import typing
from collections.abc import Awaitable
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, NotRequired, TypeVar
from unittest.mock import patch

import pytest
from hypothesis import given

from tests.backends.python.conftest import HERE, ROOT, Built, block
from tests.backends.typescript.conftest import machine_of
from tests.strategies.compiled import machines
from tests.strategies.programs import Program as Text
from tests.strategies.programs import programs
from wfc.activities import Context, Failure
from wfc.backends import python
from wfc.engine.services import ServiceError, check_python, outcome_of, plain
from wfc.ir.boundary import Boundary
from wfc.ir.machine import Machine
from wfc.ir.python_names import PythonNames, attributes
from wfc.ir.types import Secret
from wfc.machine.program import Program

USER = """
from decimal import Decimal

from order_fulfillment import order_fulfillment_activities as shop
from wfc.activities import Context


class Orders:
    async def validate(self, order: shop.Order, context: Context) -> None:
        raise shop.InvalidOrder(reason=f"{order['lines'][0]['price'] * 2} {order['method']['is']}")


class Payments(shop.Payments):
    def charge(self, order: str, amount: Decimal, context: Context, /) -> shop.Payment:
        return {"id": order, "risk": int(amount)}

    async def refund(self, order: str, context: Context, /) -> None: ...


def orders() -> shop.Orders:
    return Orders()
"""
WRONG = {
    "a_parameter": "def validate(self, order: str, context: Context) -> None: ...",
    "a_result": "def validate(self, order: shop.Order, context: Context) -> int: return 1",
    "no_method": "def valid(self, order: shop.Order, context: Context) -> None: ...",
}


def _mypy(folder: Path, *paths: str) -> str:
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--python-version", "3.11"]
    command += ["--explicit-package-bases", "--cache-dir", str(folder / ".mypy_cache"), *paths]
    environment = {**os.environ, "MYPYPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def _ruff(folder: Path, *words: str) -> str:
    command = [sys.executable, "-m", "ruff", *words, "--isolated", "--no-cache", "--exclude", "users", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.slow
def test_mypy_accepts_what_is_emitted_and_finds_what_does_not_fit_it(built: Built) -> None:
    (built.folder / "users").mkdir()
    (built.folder / "users" / "right.py").write_text(USER, encoding="utf-8")
    for name, method in WRONG.items():
        text = USER.replace(
            USER[USER.index("    async def validate") : USER.index("class Payments")], f"    {method}\n\n\n"
        )
        (built.folder / "users" / f"{name}.py").write_text(text, encoding="utf-8")
    said = _mypy(built.folder, ".").splitlines()
    wrong = {line.partition(":")[0] for line in said if ": error:" in line}
    assert wrong == {f"users/{name}.py" for name in WRONG}, "\n".join(said)
    assert all("return-value" in line for line in said if ": error:" in line), "\n".join(said)


@pytest.mark.slow
def test_ruff_would_change_nothing(built: Built) -> None:
    assert "already formatted" in _ruff(built.folder, "format", "--check")
    assert _ruff(built.folder, "check", "--ignore", "E501") == "All checks passed!\n"


# ------------------------------------------------------------------------------------------------ what really arrives


def _fits(value: Any, hint: Any, bound: dict[Any, Any]) -> bool:
    """Whether a value is one of a type, type parameters filled in."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(hint, TypeVar):
        return _fits(value, bound[hint], {})
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, arg, bound) for arg in args)
    if origin is Literal:
        return value in args
    if origin is NotRequired:
        return _fits(value, args[0], bound)
    if origin is list:
        return isinstance(value, list) and all(_fits(each, args[0], bound) for each in value)
    if origin is dict:
        return isinstance(value, dict) and all(_fits(each, args[1], bound) for each in value.values())
    if typing.is_typeddict(origin or hint):
        return _is_dict_of(value, origin or hint, tuple(bound.get(arg, arg) for arg in args))
    return value is None if hint is type(None) else type(value) is hint


def _is_dict_of(value: Any, kind: Any, args: tuple[Any, ...]) -> bool:
    hints = typing.get_type_hints(kind, include_extras=True)
    if not isinstance(value, dict) or not kind.__required_keys__ <= value.keys() <= hints.keys():
        return False
    bound = dict(zip(getattr(kind, "__parameters__", ()), args, strict=False))
    return all(_fits(each, hints[name], bound) for name, each in value.items())


def _checked(machine: Machine, module: Any) -> int:
    """Gives each method samples of its values, and looks at them; how many."""
    boundary, called = Boundary(machine), PythonNames(machine)
    whole = next(each for name, each in vars(module).items() if name.endswith("Activities"))
    count = 0
    for service, attribute in called.services.items():
        protocol = typing.get_type_hints(getattr(whole, attribute).fget)["return"]
        for operation in called.called[service]:
            method = getattr(protocol, called.operations[operation.name])
            hints = list(typing.get_type_hints(method).items())
            assert hints[-2] == ("context", Context)
            for param, (name, hint) in zip(operation.params, hints, strict=False):
                kind = param.type.inner if isinstance(param.type, Secret) else param.type
                assert _fits(plain(boundary.sample(kind)), hint, {}), f"{operation.name}({name}): {hint}"
                count += 1
            *parts, later = typing.get_args(hints[-1][1])
            assert typing.get_origin(later) is Awaitable
            answer = plain(boundary.sample(operation.result))
            assert any(_fits(answer, part, {}) for part in parts), f"{operation.name} -> {parts}"
    return count


def test_what_arrives_is_what_the_types_say(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(built.folder)
    count = sum(_checked(each.machine, importlib.import_module(each.name)) for each in built.every)
    assert count > 100
    module = importlib.import_module("order_fulfillment.order_fulfillment_activities")
    line = {"sku": "pen", "quantity": 1, "price": "3.00"}
    assert not _fits(line, module.Line, {})
    assert _fits({**line, "price": Decimal(3)}, module.Line, {})
    assert not _fits({**line, "price": Decimal(3), "more": 1}, module.Line, {})


@given(programs())
def test_every_program_gives_a_module_that_loads(program: Text) -> None:
    for machine in machines(program):
        (output,) = python.emit(machine)
        module = types.ModuleType("emitted")
        with patch.dict(sys.modules, {"emitted": module}):
            exec(compile(output.text, output.path, "exec"), module.__dict__)  # noqa: S102 - what we wrote
            _checked(machine, module)


# ------------------------------------------------------------------------------------------------- errors and names


def test_an_error_is_raised_by_its_name_in_the_language(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(built.folder)
    module = importlib.import_module("python_names.function_activities")
    raised = module.Map("f", "s", "u", "n", 3)
    assert isinstance(raised, Failure)
    fields = {"function": "f", "self": "s", "super": "u", "name": "n", "class": 3}
    assert outcome_of(raised) == {"kind": "error", "value": {"is": "Map", **fields}}
    assert outcome_of(module.Failure_({"is": "Ok", "value": 1}))["value"]["is"] == "Failure"


def test_the_interface_is_no_implementation(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(built.folder)
    module: Any = importlib.import_module("order_fulfillment.order_fulfillment_activities")
    forgetful = type("Payments", (module.Payments,), {"charge": lambda *_: None})
    with pytest.raises(TypeError, match="refund"):
        forgetful()


def test_the_scaffold_fits_and_what_is_missing_is_told(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(built.folder)
    machine = next(each.machine for each in built.every if each.name == "python_names.function_activities")
    module = importlib.import_module("python_names.function_services")
    check_python(Program(machine), module.activities, lambda _: False)
    module.activities.class_.None_ = None
    del module.activities.property
    with pytest.raises(ServiceError) as told:
        check_python(Program(machine), module.activities, lambda _: False)
    assert [line.strip() for line in str(told.value).splitlines()[1:]] == [
        "there is no `property`, with `console`",
        "`class_.None_` is missing",
    ]


def test_the_object_of_the_page_fits(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(built.folder)
    machine = machine_of(block("wf parcels.wf"))
    check_python(Program(machine), importlib.import_module("shop").activities, lambda _: False)


def test_names_that_python_does_not_take() -> None:
    given = ("a.class", "a.class_", "a.__init__", "a.___", "a.print", "a.match", "a._one")
    expected = ("class__", "class_", "_init__", "_", "print", "match", "_one")
    assert tuple(attributes(given).values()) == expected
    assert attributes(("None", "b.None")) == {"None": "None_", "b.None": "None__"}


GENERIC = """
record Boxed<T> { class: T }
service s { query a(boxed: Boxed<Int>) }
workflow w(id: Text, boxed: Boxed<Int>) version 1 key id raises System { state A { do s.a(boxed) done } }
"""


def test_what_has_no_type_is_refused_with_its_place() -> None:
    ((what, at),) = python.unsupported(machine_of(GENERIC))
    assert what == "a field `class` of a generic type"
    assert at is not None
    assert at.line == 2


def test_files_are_named_after_the_process() -> None:
    (output,) = python.emit(machine_of("workflow W_1(id: Text) version 1 key id { state A { done } }"))
    assert output.path == "w_1_activities.py"
    assert "What `W_1` calls: nothing." in output.text


def test_no_any_and_no_check_is_disabled() -> None:
    text = (HERE / "programs" / "names.wf").read_text(encoding="utf-8")
    code = re.sub(r'"""(?:\\.|[^\\])*?"""', "", python.emit(machine_of(text))[0].text, flags=re.DOTALL)
    assert not re.search(r"\bAny\b|type: ignore|noqa|fmt: (?:off|skip)", code)
