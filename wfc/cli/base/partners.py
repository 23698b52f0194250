"""Who answers attempts, from the command line: the user's Python, HTTP, or a scenario."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from wfc.cli.base.engine import Loaded
from wfc.cli.base.given import UseError, text_of, the_scenario
from wfc.cli.base.screen import print_summary
from wfc.ir.machine import Machine
from wfc.ir.python_names import PythonNames
from wfc.ir.scenario import Advance, Scenario
from wfc.machine.program import Program
from wfc.text.names import listed

if TYPE_CHECKING:
    from wfc.engine.outgoing import Publisher
    from wfc.engine.worker import Partners

ANY = ""  # --simulate-activities without a title


def add_partner_options(parser: ArgumentParser) -> None:
    """Adds who answers."""
    group = parser.add_argument_group("activities", "services with an address are called over HTTP")
    group.add_argument(
        "--activities", metavar="MODULE:OBJECT", help="Python: an attribute a service, with a method an operation"
    )
    group.add_argument(
        "--simulate-activities",
        nargs="?",
        const=ANY,
        metavar="TITLE",
        help="answer as a scenario of the file does (with this text in its title), people included",
    )
    group.add_argument(
        "--outgoing",
        metavar="TARGET",
        help="takes `outgoing` events: MODULE:FUNCTION, or an http(s) address (CloudEvents)",
    )
    group.add_argument("--secrets", metavar="FILE", help="a JSON object; or WFC_SECRET_NAME in the environment")
    group.add_argument("--headers", metavar="FILE", help="JSON: for each service called over HTTP its headers")


def scenario_of(loaded: Loaded, machine: Machine, title: str) -> tuple[Machine, Scenario | None]:
    """The scenario that is meant, with its machine; without a title the first that does not wait for days."""
    low, every = loaded.scenarios.get(machine.process, (machine, ()))
    if title == ANY:
        return low, next((each for each in every if not any(isinstance(i, Advance) for i in each.items)), None)
    return low, the_scenario([(each, each.title) for each in every], title)


def partners_for(loaded: Loaded, machines: Iterable[Machine], chosen: Namespace) -> "Partners":
    """Who answers for all services of some machines; raises UseError, ServerError or ServiceError."""
    from wfc.engine.connect import load_object
    from wfc.engine.secrets import secrets_for
    from wfc.engine.services import HttpService, PythonService, Service, attribute_of, check_python
    from wfc.engine.simulated import SimulatedService
    from wfc.engine.worker import Partners

    every = tuple(machines)
    if chosen.simulate_activities is not None:
        if chosen.activities is not None:
            raise UseError("--simulate-activities does not go with --activities")
        machine = every[0]
        low, scenario = scenario_of(loaded, machine, chosen.simulate_activities)
        return Partners({}, SimulatedService(Program(low), scenario), _Simulated())
    found: dict[str, Service] = {}
    own = load_object(chosen.activities, "--activities") if chosen.activities is not None else None
    headers = _headers(chosen.headers)
    secrets: dict[str, Any] = {}
    for machine in every:
        python = PythonNames(machine)
        called = python.services
        elsewhere = {
            s.name for s in machine.services if s.address and attribute_of(own, called.get(s.name, "")) is None
        }
        needed = [name for name in called if name not in elsewhere]
        if own is None and needed:
            names = listed(f"`{name}`" for name in needed)
            raise UseError(
                f"nobody answers for {names}: name your activities with --activities package.module:object "
                "(`wfc scaffold --target python` writes a first one), or try it with --simulate-activities"
            )
        program = Program(machine)
        if own is not None:
            check_python(program, own, elsewhere.__contains__)
        for service in machine.services:
            if service.name in elsewhere:
                found[service.name] = HttpService(service.address, headers.get(service.name, {}))
            elif service.name in called:
                found[service.name] = PythonService(getattr(own, called[service.name]), python.operations)
        secrets |= secrets_for(machine, chosen.secrets)
    return Partners(found, None, secrets, _publisher(chosen.outgoing, every, headers))


def _publisher(target: str | None, every: Iterable[Machine], headers: dict[str, dict[str, str]]) -> "Publisher | None":
    """Who takes outgoing events. Nobody has to: then it is said which go nowhere."""
    from wfc.engine.connect import load_object
    from wfc.engine.outgoing import HttpPublisher, PythonPublisher

    if target is None:
        names = sorted({event.name for machine in every for event in machine.events if event.mode == "outgoing"})
        if names:
            print_summary(f"{listed(names)} goes nowhere: --outgoing says who takes it")
        return None
    if target.startswith(("http://", "https://")):
        return HttpPublisher(target, headers.get("outgoing", {}))
    function = load_object(target, "--outgoing")
    if not callable(function):
        raise UseError(f"--outgoing: `{target}` is no function")
    return PythonPublisher(function)


class _Simulated(dict[str, Any]):
    """A simulated service needs no secret: every one is there."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> None:
        return None


def _headers(path: str | None) -> dict[str, dict[str, str]]:
    if path is None:
        return {}
    try:
        data = json.loads(text_of(path))
    except ValueError:
        raise UseError(f"--headers: {path} is no JSON") from None
    if not isinstance(data, dict) or not all(isinstance(each, dict) for each in data.values()):
        raise UseError(f"--headers: {path} is to hold an object of objects: service, header, value")
    return {str(name): {str(k): str(v) for k, v in each.items()} for name, each in data.items()}
