"""Running a command again whenever a source or the settings change, until somebody ends it."""

import gc
import os
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Sequence

from wfc.cli.base.exits import FINE, WRONG_USE
from wfc.cli.base.screen import complain
from wfc.project.files import DiskFiles
from wfc.project.settings import PYPROJECT, SETTINGS_FILE, load_settings
from wfc.project.sources import SUFFIX, start_folder
from wfc.text.names import counted

# Milliseconds. A save is often several changes: it is over when nothing has changed for `_STEP`, or after `_LONGEST`.
_STEP = 10
_LONGEST = 100
_BEAT = 100  # how often the watcher is asked; the first answer says that it has begun


def add_watch_option(parser: ArgumentParser) -> None:
    """Adds `--watch`."""
    parser.add_argument(
        "--watch",
        action="store_true",
        help="stay, and do it again when a source or the settings change (Ctrl-C ends it)",
    )


def watch(paths: Sequence[str], once: Callable[[], object]) -> int:
    """Runs `once` now and after each change of what concerns the paths."""
    try:
        from watchfiles import watch as changes
    except ImportError:
        complain("--watch needs watchfiles: pip install 'wfc[watch]'")
        return WRONG_USE
    folders = _folders(paths)
    missing = next((folder for folder in folders if not os.path.isdir(folder)), None)
    if missing is not None:
        complain(f"`{DiskFiles().shown(missing)}` cannot be watched: there is no such folder")
        return WRONG_USE
    interrupts = _Interrupts()
    try:
        # The watcher begins before the first run, so that no change falls between them.
        told = changes(
            *folders,
            watch_filter=lambda _, path: _concerns(path),
            debounce=_LONGEST,
            step=_STEP,
            rust_timeout=_BEAT,
            yield_on_timeout=True,
            ignore_permission_denied=True,
        )
        next(told)
        _round(once)
        littered = True
        for change in told:
            interrupts.raise_swallowed()
            if change:
                _say(f"{_named(path for _, path in change)} changed")
                _round(once)
                littered = True
            elif littered:
                gc.collect()  # the collector is off, because most runs are short; here there is time between two
                littered = False
    except KeyboardInterrupt:
        _say("ended")
    finally:
        interrupts.close()
    return FINE


class _Interrupts:
    """Ctrl-C, also where it comes while something is being cleaned up: there Python swallows what is raised."""

    def __init__(self) -> None:
        self.came = False
        self.before = signal.signal(signal.SIGINT, self._come)

    def _come(self, *_: object) -> None:
        self.came = True
        raise KeyboardInterrupt

    def raise_swallowed(self) -> None:
        """Raises what has come and has not been heard."""
        if self.came:
            raise KeyboardInterrupt

    def close(self) -> None:
        signal.signal(signal.SIGINT, self.before)


def _round(once: Callable[[], object]) -> None:
    once()
    sys.stdout.flush()
    _say("watching for changes")


def _say(text: str) -> None:
    sys.stderr.write(f"wfc: {text}\n")
    sys.stderr.flush()


def _folders(paths: Sequence[str]) -> list[str]:
    """The project, and where the given paths lie: a file that is replaced is another file, so its folder is watched."""
    files = DiskFiles()
    root = load_settings(files, start_folder(paths, files), lambda _: None).root
    own = [path if os.path.isdir(path) else os.path.dirname(path) or "." for path in paths]
    return list(dict.fromkeys(os.path.realpath(folder) for folder in (root, *own)))


def _concerns(path: str) -> bool:
    name = os.path.basename(path)
    return name.endswith(SUFFIX) or name in {SETTINGS_FILE, PYPROJECT}


def _named(paths: Iterable[str]) -> str:
    """One file by its name, several by their number."""
    files = DiskFiles()
    every = sorted({files.shown(path) for path in paths})
    return every[0] if len(every) == 1 else counted(len(every), "file")
