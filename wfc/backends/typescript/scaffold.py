"""A first version of the activities of a process, for its user to go on with. It is written once, and is no output."""

from wfc.backends.typescript import host, layout
from wfc.backends.typescript.layout import Code
from wfc.backends.typescript.printer import formatted
from wfc.backends.typescript.types import Program
from wfc.ir.machine import Machine, OperationDef, ServiceDef
from wfc.text.output import Output

SUFFIX = ".activities.ts"


def scaffold(machine: Machine, generated: str, on: str = "node") -> Output | None:
    """The file, if the process calls any activity.

    `generated` is the way from its folder to that of the outputs, `on` the host.
    """
    program = Program(machine)
    services = [each for each in machine.services if _called(program, each)]
    if not services:
        return None
    name = program.names.activities
    types = layout.quoted(f"{generated}/{machine.process}.types.js")
    module = layout.quoted(f"{generated}/{host.MODULES[on]}")
    lines = [
        f"// What `{machine.workflow.name}` calls. `wfc scaffold` has written it once; from here on it is yours.",
        "",
        f"import type {{ {name} }} from {types};",
        f"import {{ NotSent, type NodeContext }} from {module};",
        "",
        f"export const activities: {name} = {{",
    ]
    for service in services:
        lines += layout.indented(_service(program, service))
    lines += ["};"]
    text = formatted("\n".join(lines))
    return Output(f"{machine.process}{SUFFIX}", f"{text}\n{_UNWRITTEN}")


def _called(program: Program, service: ServiceDef) -> list[OperationDef]:
    """What a program answers for; tasks are answered by people."""
    found = (program.operations[name] for name in service.operations)
    return [operation for operation in found if operation.kind != "task"]


def _service(program: Program, service: ServiceDef) -> Code:
    lines = [*layout.comment(service.doc), f"{layout.key(service.name)}: {{"]
    for operation in _called(program, service):
        lines += layout.indented([*layout.comment(operation.doc), *_method(program, operation)])
    return [*lines, "},"]


def _method(program: Program, operation: OperationDef) -> Code:
    names = [program.names.local(each.name) for each in operation.params]
    given = "".join(f"{name}, " for name in names)
    passed = "".join(f", {name}" for name in names)
    head = f"{layout.key(operation.name.rpartition('.')[2])}({given}context: NodeContext) {{"
    return [head, f"  return unwritten(context, {layout.quoted(operation.name)}{passed});", "},"]


_UNWRITTEN = """\
/** Stands for what is not written yet. To the workflow the service cannot be reached, and nothing was done. */
function unwritten(
  { attempt }: NodeContext,
  operation: string,
  ...given: readonly unknown[]
): never {
  const values = `${String(given.length)} ${given.length === 1 ? "value" : "values"}`;
  throw new NotSent(`${operation} is not written yet: attempt ${String(attempt)}, with ${values}`);
}
"""
