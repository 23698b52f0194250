"""Begin a project: a folder with a first workflow and its settings."""

import os
import sys
from argparse import ArgumentParser, Namespace

from wfc.cli.base.exits import FINE, WRONG_USE
from wfc.cli.base.screen import complain
from wfc.syntax.reserved import RESERVED
from wfc.text.names import kebab, snake, spaced

_LONGEST = 60


def add_arguments(parser: ArgumentParser) -> None:
    """Declares what `wfc new` takes."""
    parser.add_argument("name", metavar="NAME", help="of the process, such as order-fulfillment; also the new folder's")


def run(chosen: Namespace) -> int:
    """Writes the project, unless something is there already."""
    name = _sanitised(chosen.name)
    if name is None:
        complain(f"`{chosen.name}` cannot name a process: use a letter, then letters, digits and hyphens")
        return WRONG_USE
    if os.path.exists(name) and (not os.path.isdir(name) or os.listdir(name)):
        complain(f"`{name}` is there already, and nothing in it is overwritten; choose another name")
        return WRONG_USE
    try:
        _write(name, _texts(name))
    except OSError as error:
        complain(f"`{name}` cannot be written: {error.strerror}")
        return WRONG_USE
    sys.stdout.write(f"{name}/{name}.wf is a first workflow; next:\n  cd {name}\n  wfc check\n  wfc compile\n")
    return FINE


def _sanitised(given: str) -> str | None:
    """The name in kebab case: `Order fulfillment!` is `order-fulfillment`."""
    words = "".join(character if character.isascii() and character.isalnum() else " " for character in given).split()
    name = "-".join(kebab(word) for word in words)
    return name if name[:1].isalpha() and len(name) <= _LONGEST else None


def _texts(name: str) -> dict[str, str]:
    workflow = snake(name)
    if workflow in RESERVED:
        workflow += "_process"
    return {
        f"{name}.wf": _WORKFLOW.replace("NAME", workflow),
        "wfc.toml": _SETTINGS,
        "README.md": _README.replace("TITLE", spaced(name).capitalize()).replace("NAME", name),
        ".gitignore": _IGNORED,
    }


def _write(folder: str, texts: dict[str, str]) -> None:
    os.makedirs(folder, exist_ok=True)
    for path, text in texts.items():
        with open(os.path.join(folder, path), "x", encoding="utf-8", newline="\n") as file:
            file.write(text)


_WORKFLOW = """\
// A request comes in, is approved or not, and is carried out. If carrying it out fails, what was done is undone.

record Request { id: Text, text: Text, amount: Int where amount > 0 }

enum Outcome { Accepted, Refused(reason: Text) }

error Impossible(reason: Text)

service office {
  /// Sets the amount aside. It is given back if a later step fails.
  activity reserve(request: Text, amount: Int)
           key request
           compensate release(request)
  activity release(request: Text) key request

  /// Does what was asked for.
  activity fulfil(request: Text)
           raises Impossible
           key request
           compensate none "it is the last step: nothing comes after it that could fail"
}

workflow NAME(request: Request) -> Outcome version 1 key request.id {
  catch any as problem { done Refused(problem.message) }

  gateway size {
    choose {
      when request.amount <= 1000 -> reserving
      otherwise                   { done Refused("more than 1000 is too much") }
    }
  }

  state reserving {
    do office.reserve(request.id, request.amount)
    -> fulfilling
  }

  state fulfilling {
    do office.fulfil(request.id)
    done Accepted
  }
}
"""

_SETTINGS = """\
# Settings of this project; `wfc explain unknown-setting` lists all of them.
max-retries = 3
timeout = "30s"
out = "workflows"
"""

_README = """\
# TITLE

`NAME.wf` describes the process. Two commands do the work:

- `wfc check` says what can go wrong with it,
- `wfc compile` writes its state machine, its diagram and its TypeScript into `workflows/`.

Change the workflow, not the files in `workflows/`: the next compile would overwrite them, and refuses to if you edited
one by hand.
"""

_IGNORED = """\
node_modules/
"""
