"""The TypeScript backend: types, error handlers, workflow, the runtime they share, and a host that runs them.

Knows the machine only.
"""

from functools import cache
from importlib.resources import files

from wfc import __version__
from wfc.backends.typescript import host, layout
from wfc.backends.typescript.calls import Calls, Descriptors, Usual
from wfc.backends.typescript.constants import constants
from wfc.backends.typescript.declarations import declarations
from wfc.backends.typescript.expressions import Expressions
from wfc.backends.typescript.layout import Code
from wfc.backends.typescript.policies import table
from wfc.backends.typescript.printer import formatted
from wfc.backends.typescript.regions import Regions
from wfc.backends.typescript.types import Program, Uses
from wfc.ir.machine import Machine
from wfc.ir.walk import heard
from wfc.text.output import Output
from wfc.text.source import Span

name = "typescript"
SHARED = "wfc-runtime"  # the folder of what all workflows share
RUNTIME = (
    "attempts", "base", "calls", "decimal", "fibers", "frame", "guards", "host", "joins", "look", "parse", "run",
    "runtime", "state", "stops", "undo", "values",
)  # fmt: skip


def unsupported(machine: Machine) -> tuple[tuple[str, Span | None], ...]:
    """What cannot be written as TypeScript: nothing of the language."""
    _ = machine
    return ()


def emit(machine: Machine, on: str = "node") -> tuple[Output, ...]:
    """The files of a machine, and those that all machines share; `on` is the host."""
    program = Program(machine)
    return (
        _handlers(program),
        _types(program),
        _workflow(program),
        *(Output(f"{SHARED}/wfc-{part}.ts", _runtime(part)) for part in RUNTIME),
        *host.outputs(on),
    )


class OnTemporal:
    """The same code with its host on Temporal, which takes no locks."""

    name = "typescript, on Temporal"

    def unsupported(self, machine: Machine) -> tuple[tuple[str, Span | None], ...]:
        """The resources that are locked: a lock there needs a keeper, which `wfc run` has."""
        return tuple((f"locks on `{resource.name}`", resource.at) for resource in machine.resources)

    def emit(self, machine: Machine) -> tuple[Output, ...]:
        """The files of a machine, and those that all machines share."""
        return emit(machine, "temporal")


def hosted(on: str) -> OnTemporal | None:
    """The backend for another host than Node."""
    return OnTemporal() if on == "temporal" else None


def _types(program: Program) -> Output:
    uses = Uses()
    return _output(program, "types", declarations(program, uses), uses, ("runtime",))


def _handlers(program: Program) -> Output:
    machine = program.machine
    uses = Uses()
    descriptors = Descriptors(program, uses, Usual(program))
    found = [table(program, Expressions(program, uses))]
    found += descriptors.tables()
    found += [descriptors.resource(resource) for resource in machine.resources]
    found += [descriptors.service(service) for service in machine.services if service.operations]
    children = [layout.indented(descriptors.workflow(workflow)) for workflow in machine.workflows]
    found.append(["export const workflows = {", *(line for code in children for line in code), "};"])
    listened = sorted({event for workflow in machine.workflows for event in heard(workflow.region)})
    listed: list[Code] = []
    if listened:
        events = [line for event in listened for line in layout.indented(descriptors.event(event))]
        kind = uses.type("runtime", "EventSpec")
        listed.append(["export const events = {", *events, f"}} satisfies Readonly<Record<string, {kind}>>;"])
    for workflow in machine.workflows:
        descriptors.parsers.input(workflow.name)
    parsers = descriptors.parsers.found.values()
    code = [block for block in (*found, *parsers, *listed) if block]
    return _output(program, "error-handlers", code, uses, ("types", "runtime"))


def _workflow(program: Program) -> Output:
    machine = program.machine
    uses = Uses()
    regions = Regions(program, uses, Calls(program, uses, Usual(program), "handlers"))
    found = [regions.workflow(workflow) for workflow in machine.workflows]
    parsers = program.names.parsers
    found += [regions.definition(w, parsers[program.names.inputs[w.name]]) for w in machine.workflows]
    names = program.names.workflows
    shown = [[own if own == key else f"{layout.key(key)}: {own}"] for key, own in names.items()]
    head = layout.comment("Every workflow of this file, by name.")
    found.append([*head, *layout.record(shown, "export const definitions = {", "} as const;")])
    return _output(program, "workflow", found, uses, ("handlers", "types", "runtime"))


# ---------------------------------------------------------------------------------------------------------------- files


def _output(program: Program, part: str, code: list[Code], uses: Uses, sources: tuple[str, ...]) -> Output:
    """A file with its header and exactly the imports it uses."""
    machine = program.machine
    modules = {
        "runtime": f"./{SHARED}/wfc-runtime.js",
        "types": f"./{machine.process}.types.js",
        "handlers": f"./{machine.process}.error-handlers.js",
    }
    own = {"types": "types", "error-handlers": "handlers"}.get(part)
    imports = [line for source in sources if source != own for line in _imports(uses.found[source], modules[source])]
    blocks = [*([imports] if imports else []), *code]
    text = "\n\n".join("\n".join(constants(block)) for block in blocks)
    return Output(f"{machine.process}.{part}.ts", formatted(f"{_header(machine)}\n{text}\n"))


def _imports(used: dict[str, bool], module: str) -> Code:
    if not used:
        return []
    if not any(used.values()):
        return layout.record([[each] for each in sorted(used)], "import type {", f'}} from "{module}";')
    shown = [[each if used[each] else f"type {each}"] for each in sorted(used, key=lambda each: (not used[each], each))]
    return layout.record(shown, "import {", f'}} from "{module}";')


def _header(machine: Machine) -> str:
    workflow = machine.workflow
    source = f"{machine.source} ({workflow.name} version {workflow.version}, sha256:{machine.digest})"
    return f"// Code generated by wfc {__version__}. DO NOT EDIT.\n// Source: {source}\n"


@cache
def _runtime(part: str) -> str:
    """A file of the runtime: the same for every workflow."""
    text = files(__package__).joinpath("runtime", f"wfc-{part}.ts").read_text(encoding="utf-8")
    return f"// Code generated by wfc {__version__}. DO NOT EDIT.\n{text}"
