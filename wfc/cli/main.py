"""The entry of the command line: finds the command, runs it, and turns whatever happens into an exit code.

Nothing is imported here that the chosen command does not need: `wfc --version` loads no module but this one.
"""

import os
import sys

from wfc import __version__
from wfc.cli.base import exits

USAGE = "usage: wfc [--version] [--help] COMMAND ..."

_FOLDER = os.path.dirname(os.path.abspath(__file__))
_QUOTES = '"'


def main(arguments: list[str] | None = None) -> int:
    """Runs a command line and returns its exit code; without one that of the process, which then ends here."""
    if arguments is not None:
        return _run_to_the_end(arguments)
    _prepare_process()
    code = _run_to_the_end(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)  # what is left is taking large trees apart, which takes a tenth of the run


def _run_to_the_end(arguments: list[str]) -> int:
    """The exit code of a command line, whatever happens."""
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
    except SystemExit as error:  # how argparse ends
        sys.stdout.flush()
        return error.code if isinstance(error.code, int) else exits.WRONG_USE
    except KeyboardInterrupt:
        _say("interrupted")
        return exits.INTERRUPTED
    except BrokenPipeError:
        _abandon_output()
        return exits.READER_GONE
    except Exception as error:  # noqa: BLE001 - the last stop: what arrives here is a bug of ours
        return _bug(error, arguments)
    return code


def command_names() -> tuple[str, ...]:
    """The commands: the modules beside this one."""
    names = (name.removesuffix(".py") for name in os.listdir(_FOLDER) if name.endswith(".py"))
    return tuple(sorted(name for name in names if name not in {"__init__", "main"}))


def _dispatch(arguments: list[str]) -> int:
    first = arguments[0] if arguments else ""
    if first in {"--version", "-V"}:
        sys.stdout.write(f"wfc {__version__}\n")
        return exits.FINE
    if first in {"--help", "-h", "help"}:
        sys.stdout.write(_overview())
        return exits.FINE
    if not first:
        sys.stderr.write(_overview())
        return exits.WRONG_USE
    if first in command_names():
        return _run(first, arguments[1:])
    return _unknown(first)


def _run(name: str, arguments: list[str]) -> int:
    from importlib import import_module

    from wfc.cli.base.parser import Parser

    command = import_module(f"wfc.cli.{name}")
    parser = Parser(prog=f"wfc {name}", description=command.__doc__, allow_abbrev=False)
    command.add_arguments(parser)
    code: int = command.run(parser.parse_args(arguments))
    return code


def _overview() -> str:
    """The text of `wfc --help`: each command with the first line of its file, which is not loaded for that."""
    lines = [USAGE, "", "A compiler for business processes.", "", "commands:"]
    names = command_names()
    width = max(map(len, names)) + 2
    for name in names:
        with open(os.path.join(_FOLDER, f"{name}.py"), encoding="utf-8") as file:
            lines.append(f"  {name:<{width}}{file.readline().strip().strip(_QUOTES)}")
    return "\n".join([*lines, "", "`wfc COMMAND --help` says more about each.", ""])


def _unknown(name: str) -> int:
    from wfc.text.names import did_you_mean, listed

    near = did_you_mean(name, command_names())
    _say(f"there is no command `{name}`; {near or f'the commands are {listed(command_names())}'}")
    return exits.WRONG_USE


def _prepare_process() -> None:
    """Settings of the whole process, which a caller inside another program may not want."""
    import gc

    gc.disable()  # a run is short, and collecting makes long parses superlinear
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - closed by its caller: say it to nobody
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for as long as the run
    for stream in (sys.stdout, sys.stderr):
        # An output that cannot show a character must not end the run.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # the real streams have it


def _say(text: str) -> None:
    sys.stderr.write(f"wfc: {text}\n")


def _abandon_output() -> None:
    """Leaves nothing for the interpreter to write at exit, which would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _bug(error: Exception, arguments: list[str]) -> int:
    """Tells what to report."""
    if os.environ.get("WFC_DEBUG"):
        raise error
    if isinstance(error, OSError) and error.filename is None:
        _say(f"cannot write the output: {error.strerror}")
        _abandon_output()
        return exits.WRONG_USE
    import platform
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    place = f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else "?"
    sys.stderr.write(
        f"wfc: this is a bug in wfc, not in your program\n"
        f"  {type(error).__name__}: {error} ({place})\n"
        f"  wfc {__version__}, Python {platform.python_version()}, {platform.system()}; wfc {' '.join(arguments)}\n"
        f"Please report it with these lines and the source that shows it. WFC_DEBUG=1 shows where it happened.\n"
    )
    return exits.BUG


if __name__ == "__main__":
    main()
