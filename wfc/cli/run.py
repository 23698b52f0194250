"""Run a process on Temporal, from start to end, and watch it."""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from wfc.cli.base.engine import add_server_options, attend, keep, load, shown, the_one
from wfc.cli.base.exits import FINE, INTERRUPTED, PROBLEMS
from wfc.cli.base.given import json_of
from wfc.cli.base.partners import add_partner_options, partners_for, scenario_of
from wfc.cli.base.screen import add_color_option, palette_for, print_summary
from wfc.cli.base.serving import temporal
from wfc.cli.base.timeline import shown_timeline, signs_for, width_for
from wfc.machine.program import Program
from wfc.simulation.lines import Line

if TYPE_CHECKING:
    from temporalio.client import Client

    from wfc.engine.live import Mirror
    from wfc.engine.player import Player

PAUSE = 0.25  # seconds between two looks at the instance
PATIENCE = 2.0  # seconds, then it is said what is waited for
LINGER = 1.0  # seconds in which whoever ended it is told that it was taken


def add_arguments(parser: ArgumentParser) -> None:
    """Declares what `wfc run` takes."""
    parser.add_argument("path", metavar="FILE", help="a .wf file, or the machine that compile wrote of one")
    parser.add_argument("--process", metavar="NAME", help="the workflow, if the file has several")
    parser.add_argument("--input", metavar="JSON", help="the parameters, as an object, or the path of a file with it")
    parser.add_argument(
        "--key", metavar="KEY", help="of a workflow that declares none; the same goes on with the same run"
    )
    parser.add_argument("--keep", action="store_true", help="leave the embedded server and the worker until Ctrl-C")
    parser.add_argument("--port", metavar="N", type=int, help="of the embedded server (a free one)")
    add_partner_options(parser)
    add_server_options(parser)
    add_color_option(parser)


def run(chosen: Namespace) -> int:
    """Starts an instance, or goes on with it, and shows it until it ends."""
    return attend(lambda: _run(chosen))


async def _run(chosen: Namespace) -> int:
    from wfc.engine import control
    from wfc.engine.catalogue import learn
    from wfc.engine.player import Player
    from wfc.engine.simulated import input_of_scenario
    from wfc.engine.worker import worker_of

    loaded = load(chosen.path, chosen)
    machine = the_one(loaded, chosen.process)
    partners = partners_for(loaded, (machine,), chosen)
    program = learn(machine)
    for older in loaded.older:
        learn(older)
    scenario, told = None, program
    if chosen.simulate_activities is not None:
        low, scenario = scenario_of(loaded, machine, chosen.simulate_activities)
        told = Program(low)
    given = json_of(chosen.input, "--input") if chosen.input is not None else None
    if given is None and chosen.simulate_activities is not None:
        data = input_of_scenario(told, scenario, machine.workflow.name)
    else:
        data = control.input_of(program, machine.workflow.name, given if given is not None else {})
    keep(machine, program.digest, chosen.folder)
    simulated = chosen.simulate_activities is not None
    terms = control.Terms(chosen.queue, chosen.key, simulated=simulated)
    try:
        async with temporal(chosen) as client, worker_of(client, chosen.queue, partners):
            identity, new = await control.start(client, program, data, terms)
            print_summary(f"{identity} {'is started' if new else 'runs already: going on with it'}")
            player = Player(client, told, scenario, identity) if scenario is not None else None
            code = await _watch(client, program, identity, player, chosen)
            if chosen.keep:
                print_summary("Ctrl-C ends the server and the worker; what runs goes on when they are back")
                await asyncio.Event().wait()
            return code
    except asyncio.CancelledError:
        print_summary("interrupted: what runs is kept; `wfc run` with the same input, or `wfc worker`, goes on with it")
        return INTERRUPTED


async def _watch(client: "Client", program: Program, identity: str, player: "Player | None", chosen: Namespace) -> int:
    """Shows the instance until it has ended."""
    from wfc.engine import control, wire
    from wfc.engine.live import Mirror

    mirror = Mirror(program, identity)
    teller = _Teller(chosen)
    told_wait = ""
    while True:
        fresh = await mirror.fetch(client)
        root = mirror.instances.get(identity)
        ended = root is not None and root.status != "running" and not root.frames
        teller.tell(mirror, last=ended)
        if ended:
            break
        if not fresh and root is not None and player is not None:
            await player.go_on(mirror)
        if not fresh and not mirror.lost:
            status = await control.query(client.get_workflow_handle(identity), wire.STATUS)
            told_wait = _tell_waits(status, told_wait, identity)
        await asyncio.sleep(PAUSE)
    assert root is not None
    await _handed_over(client, identity)
    if mirror.was_told:
        await asyncio.sleep(LINGER)
    if root.letters:
        print_summary(f"{len(root.letters)} in dead letters: `wfc parked` lists them")
    if root.status == "done":
        value = program.boundary.write(root.value, program.workflows[root.workflow].result)
        sys.stdout.write(f"{shown(value)}\n" if value is not None else "")
        return FINE
    return PROBLEMS


async def _handed_over(client: "Client", identity: str) -> None:
    """Waits until all that it has said has reached the others: without a worker it would have to wait for the next."""
    ending = asyncio.create_task(client.get_workflow_handle(identity).result())
    done, _ = await asyncio.wait([ending], timeout=PATIENCE)
    if not done:
        print_summary("it has ended, and what it sends out is not taken yet: Ctrl-C leaves that to the next worker")
        await asyncio.wait([ending])
    _ = ending.exception()  # how it has ended is known


def _tell_waits(status: Any, before: str, identity: str) -> str:  # noqa: ANN401 - JSON
    """Says once what people have to do."""
    told = [f"wfc tasks complete {identity} {task['task']}" for task in status["tasks"]]
    told += [f"wfc redrive {identity} {step['operation']}" for step in status["parked"]]
    text = "\n".join(f"  it waits for someone: {line}" for line in told)
    if text and text != before:
        print_summary(text)
    return text


class _Teller:
    """Writes each line of a timeline once, when it does not change any more."""

    def __init__(self, chosen: Namespace) -> None:
        self.palette = palette_for(chosen, sys.stdout)
        self.told: list[Line] = []
        self.before: list[Line] = []

    def tell(self, mirror: "Mirror", *, last: bool) -> None:
        """The lines that are new, and settled. What is waited for is told once it is known how long."""
        lines = list(mirror.lines())
        while not last and lines and lines[-1].marker in ("wait", ""):
            lines.pop()
        settled = len(lines) if last else _same(lines, self.before)
        self.before = lines
        known = _same(lines, self.told)
        if settled > known:
            out = sys.stdout
            whole = shown_timeline(lines[:settled], self.palette, width=width_for(out), signs=signs_for(out))
            skipped = len(list(shown_timeline(lines[:known], width=width_for(out), signs=signs_for(out))))
            out.writelines(f"{line}\n" for line in list(whole)[skipped:])
            out.flush()
            self.told = lines[:settled]


def _same(one: list[Line], other: list[Line]) -> int:
    """How many lines at the beginning are the same."""
    return next(
        (i for i, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), min(len(one), len(other))
    )
