"""What the commands that work with running processes share: where Temporal is, which machines, who answers."""

import asyncio
import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

import attrs

from wfc.cli.base.exits import FINE, PROBLEMS, WRONG_USE
from wfc.cli.base.given import UseError, text_of, the_process
from wfc.cli.base.input import Input, exit_code, read_input
from wfc.cli.base.screen import complain, print_problems, print_summary
from wfc.driver import pipeline
from wfc.driver.records import FOLDER as RECORDS
from wfc.ir.encode import BadMachineError
from wfc.ir.load import load as load_machine
from wfc.ir.machine import Machine
from wfc.ir.scenario import Migration, Scenario
from wfc.problems.problem import Severity
from wfc.problems.render.summary import summary

if TYPE_CHECKING:
    from temporalio.client import Client

    from wfc.engine.connect import Where

MACHINES = "machines"  # below `.wfc`: every machine that was started from here


# ------------------------------------------------------------------------------------------------------------- options


def add_server_options(parser: ArgumentParser) -> None:
    """Adds where Temporal is."""
    group = parser.add_argument_group("server", "without these: the embedded server of this folder, or TEMPORAL_*")
    group.add_argument("--address", metavar="HOST:PORT", help="a Temporal cluster")
    group.add_argument("--namespace", metavar="NAME", help="its namespace (default)")
    group.add_argument("--api-key", metavar="KEY", help="better in TEMPORAL_API_KEY")
    group.add_argument("--tls", action="store_true", default=None, help="TLS with the certificates of the system")
    group.add_argument("--codec", metavar="MODULE:OBJECT", help="a PayloadCodec: encrypts what Temporal stores")
    group.add_argument("--folder", metavar="DIR", default=".wfc", help="of the embedded server (.wfc)")
    group.add_argument("--queue", metavar="NAME", default="wfc", help="the task queue (wfc)")


def where(chosen: Namespace) -> "Where":
    """What the command line says of the server."""
    from wfc.engine.connect import Where

    return Where(
        address=chosen.address,
        namespace=chosen.namespace,
        api_key=chosen.api_key,
        tls=chosen.tls,
        codec=chosen.codec,
        folder=chosen.folder,
        metrics=getattr(chosen, "metrics", None),
        otlp=getattr(chosen, "otlp", None),
        traces=getattr(chosen, "traces", False),
    )


def attend(work: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Runs what works with Temporal; its exit code, with what went wrong said in a line."""
    try:
        import temporalio  # noqa: F401 - whether it is there
    except ImportError:
        complain("this needs Temporal: pip install 'wfc[run]'")
        return WRONG_USE
    from wfc.engine.control import ControlError
    from wfc.engine.server import ServerError
    from wfc.engine.services import ServiceError

    try:
        return asyncio.run(work())
    except UseError as wrong:
        if str(wrong):
            complain(str(wrong))
        return wrong.code
    except ServerError as wrong:
        complain(str(wrong))
        return WRONG_USE
    except ServiceError as wrong:
        complain(str(wrong))
        return WRONG_USE
    except ControlError as wrong:
        complain(str(wrong))
        return PROBLEMS


def command(chosen: Namespace, work: Callable[["Client"], Awaitable[int]]) -> int:
    """A command that needs only a client."""

    async def connected() -> int:
        from wfc.engine.connect import connect

        return await work(await connect(where(chosen)))

    return attend(connected)


# ------------------------------------------------------------------------------------------------------------ machines


@attrs.frozen
class Loaded:
    """The machines of some sources, with everything that a worker has to know."""

    given: Input
    machines: tuple[Machine, ...]
    migrations: dict[str, tuple[Migration, ...]]  # by process
    scenarios: dict[str, tuple[Machine, tuple[Scenario, ...]]]  # the machine knows what the scenarios name
    older: tuple[Machine, ...]


def load(path: str, chosen: Namespace) -> Loaded:
    """The processes of a source, or of the machine in a JSON file; raises UseError where something is wrong with it."""
    if path.endswith(".json"):
        try:
            found = load_machine(text_of(path))
        except BadMachineError as wrong:
            raise UseError(f"{path}: {wrong}") from None
        given = read_input([os.path.dirname(path) or "."])
        return Loaded(given, (found,), {}, {}, _older(given, chosen))
    given = read_input([path])
    if not given.sources or given.report.has_errors:
        print_problems(given.report.problems, "full", chosen)
        print_summary(summary(given.report.problems, len(given.sources)))
        raise UseError("", WRONG_USE)
    options = pipeline.Options()
    checked = pipeline.check(given.sources, given.settings, given.files, options)
    code = exit_code(checked.report.problems, given, warnings_count=False)
    if code != FINE:
        errors = [problem for problem in checked.report.problems if problem.level() is Severity.ERROR]
        print_problems(errors, "full", chosen)
        print_summary(summary(errors, len(given.sources)))
        raise UseError("", code)
    roots = pipeline.roots(checked, options)
    machines = tuple(pipeline.machine(root, checked.model, given.settings, options) for root in roots)
    ways = {root.process: pipeline.migrations(root, checked.model, given.settings, options) for root in roots}
    told = {low.process: (low, runs) for low, runs, _ in pipeline.scenarios(checked, given.settings, options)}
    return Loaded(given, machines, ways, told, _older(given, chosen))


def _older(given: Input, chosen: Namespace) -> tuple[Machine, ...]:
    """The machines of older versions: those that compiling has recorded, and those that were started from here."""
    found = []
    for folder in (os.path.join(given.settings.out_folder, RECORDS), os.path.join(chosen.folder, MACHINES)):
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            if name.endswith(".json"):
                path = os.path.join(folder, name)
                try:
                    found.append(load_machine(text_of(path)))
                except BadMachineError as wrong:
                    complain(f"{path} is left out: {wrong}")
    return tuple(found)


def the_one(loaded: Loaded, name: str | None) -> Machine:
    """The process that is meant."""
    return the_process([(each, each.process, each.workflow.name) for each in loaded.machines], name)


def keep(machine: Machine, digest: str, folder: str) -> None:
    """Keeps a machine that is started, so that its instances can go on whatever becomes of its source."""
    from wfc.backends.json_ import text

    place = os.path.join(folder, MACHINES)
    path = os.path.join(place, f"{machine.process}.{digest}.json")
    if os.path.exists(path):
        return
    try:
        os.makedirs(place, exist_ok=True)
        with open(f"{path}.new", "w", encoding="utf-8", newline="\n") as file:
            file.write(text(machine))
        os.replace(f"{path}.new", path)
    except OSError as error:
        raise UseError(f"`{path}` cannot be written: {error.strerror}") from None


# ---------------------------------------------------------------------------------------------------------------- data


def shown(data: Any) -> str:  # noqa: ANN401 - data
    """Data on one line."""
    return json.dumps(data, ensure_ascii=False, default=str)


def is_terminal() -> bool:
    """Whether someone watches."""
    return sys.stderr.isatty()
