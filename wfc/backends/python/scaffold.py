"""A first version of the activities of a process, for its user to go on with. It is written once, and is no output."""

from wfc.backends.python import imports, layout, services, text
from wfc.backends.python.layout import Code
from wfc.backends.python.types import Program, Types
from wfc.ir.machine import Machine, OperationDef
from wfc.ir.python_names import module_of
from wfc.text.output import Output

OBJECT = "activities"  # what is named to `wfc run`
_END = "_activities"


def path_of(machine: Machine) -> str:
    """The name of the file."""
    return f"{module_of(machine.process).removesuffix(_END)}_services.py"


def scaffold(machine: Machine, package: str) -> Output | None:
    """The file, if the process calls any activity. `package` is where the outputs are imported from."""
    program = Program(machine)
    if not program.called.services:
        return None
    types = Types(program)
    written = [_class(program, types, name) for name in program.called.services]
    whole = program.names.whole
    held = [
        f"        self.{attribute} = {program.names.services[name]}()"
        for name, attribute in program.called.services.items()
    ]
    written += [
        ["class Activities:", '    """An attribute for each service."""', "", "    def __init__(self) -> None:", *held],
        [f"{OBJECT}: {whole} = Activities()"],
    ]
    module = f"{package}.{module_of(machine.process)}" if package else module_of(machine.process)
    types.imported[module] = {each: each for each in (whole, *types.named)}
    doc = f"What `{machine.workflow.name}` calls. `wfc scaffold` has written it once; from here on it is yours."
    head = [*layout.docstring(doc), "", *imports(types.imported)]
    return Output(path_of(machine), text([head, *written]))


def _class(program: Program, types: Types, name: str) -> Code:
    service = next(each for each in program.machine.services if each.name == name)
    doc = layout.docstring(service.doc)
    members = [*([doc] if doc else [])]
    members += [_method(program, types, each) for each in program.called.called[name]]
    lines = [line for code in members for line in ("", *code)][1:]
    return [f"class {program.names.services[name]}:", *layout.indented(lines)]


def _method(program: Program, types: Types, operation: OperationDef) -> Code:
    result = types.show(operation.result) if operation.result is not None else layout.Sub("None")
    head = services.method(program, types, operation, (" -> ", result, ":"), only_by_place=False)
    body = [*layout.docstring(operation.doc), f"raise {types.use('NotWritten')}"]
    return [*(line[layout.STEP :] for line in head), *layout.indented(body)]
