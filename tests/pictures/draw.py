"""Draws the pictures of editors for the docs: python -m tests.pictures.draw NAME...

Each is a real editor with the files of `editors/`, set up as its page says, after `wfc check`. Only what is drawn has to be
installed: tmux and the editor; for VS Code what `make pictures-vscode` installs. What they are drawn from is told in
`pictures.json` beside them.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image, ImageChops

from tests.editors.running import environment
from tests.pictures.sources import IMAGES, PICTURES, ROOT, SHOP, TOLD, drawn_from
from tests.pictures.terminal import terminal

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
_SCALE = 2
_COLUMNS = 110
_VSCE = ROOT / "tests" / "js" / "node_modules" / "@vscode" / "vsce" / "vsce"
_CODE_SERVER = ROOT / "build" / "code-server"


def main(names: list[str]) -> None:
    """Draws some pictures, and tells what they were drawn from."""
    told: dict[str, str] = json.loads(TOLD.read_text(encoding="utf-8")) if TOLD.exists() else {}
    IMAGES.mkdir(parents=True, exist_ok=True)
    for name in names:
        with TemporaryDirectory(prefix="wfc-picture-") as temporary:
            home = Path(temporary)
            shutil.copytree(SHOP, home / "shop")
            _DRAWN[name](home, home / name)
            _small(home / name, IMAGES / name)
        told[name] = drawn_from(name)
        kept = {name: told[name] for name in PICTURES if name in told}
        TOLD.write_text(f"{json.dumps(kept, indent=2)}\n", encoding="utf-8")
        sys.stdout.write(f"{name}: {(IMAGES / name).stat().st_size} bytes\n")


def _own(home: Path) -> dict[str, str]:
    """The environment of an editor that knows nobody."""
    known = environment(home)
    own = {"HOME": str(home), "LC_ALL": "C.UTF-8", "COLORTERM": "truecolor", "PS1": "$ ", "SHELL": "/bin/sh"}
    return {**own, "PATH": known["PATH"], "PYTHONPATH": known["PYTHONPATH"]}


# ------------------------------------------------------------------------------------------------------------ terminals

_VIMRC = """\
set nocompatible mouse= termguicolors background=light cursorline number laststatus=2 noruler noshowcmd shortmess+=I
filetype plugin indent on
syntax on
colorscheme lunaperche
"""


def _vim(home: Path, picture: Path) -> None:
    shutil.copytree(ROOT / "editors" / "vim", home / ".vim" / "pack" / "wfc" / "start" / "wfc")
    (home / ".vimrc").write_text(_VIMRC, encoding="utf-8")
    with terminal(["vim", "orders.wf"], home / "shop", _own(home), _COLUMNS, 39) as screen:
        screen.until("state cancelled")
        screen.type(":make", "Enter")
        screen.until("Press ENTER")
        screen.type("Enter", ":copen 2", "Enter")
        _photograph(screen.page(screen.until("unused-name")), picture)


_EMACS = """\
(setq inhibit-startup-screen t compilation-window-height 12 compilation-context-lines 6)
(add-to-list 'load-path "~/.emacs.d/lisp")
(require 'wfc-mode)
(load-theme 'modus-operandi t)
(menu-bar-mode -1)
(add-hook 'prog-mode-hook #'display-line-numbers-mode)
"""


def _emacs(home: Path, picture: Path) -> None:
    lisp = home / ".emacs.d" / "lisp"
    lisp.mkdir(parents=True)
    shutil.copy(ROOT / "editors" / "emacs" / "wfc-mode.el", lisp)
    (home / ".emacs.d" / "init.el").write_text(_EMACS, encoding="utf-8")
    with terminal(["emacs", "-nw", "orders.wf"], home / "shop", _own(home), _COLUMNS, 48) as screen:
        screen.until("state cancelled")
        screen.type("M-x", "compile", "Enter", "Enter")
        screen.until("Compilation exited")
        screen.type("M-g", "n")
        _photograph(screen.page(screen.until("Compilation exited")), picture)


def _check(home: Path, picture: Path) -> None:
    with terminal(["bash", "--norc"], home / "shop", _own(home), _COLUMNS, 39) as screen:
        screen.until("$")
        screen.type("wfc check", "Enter")
        _photograph(screen.page(screen.until("1 error, 1 warning in 1 file\n$")), picture)


def _photograph(page: str, picture: Path) -> None:
    """Draws a page in Chromium, as large as it is."""
    browser = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        sys.exit("Chromium is needed: `make setup` says how to get it")
    html = picture.with_suffix(".html")
    html.write_text(page, encoding="utf-8")
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    options += [f"--user-data-dir={picture.parent / 'browser'}", f"--force-device-scale-factor={_SCALE}"]
    command = [browser, *options, "--window-size=1600,1200", f"--screenshot={picture}", html.as_uri()]
    subprocess.run(command, check=True, capture_output=True)
    with Image.open(picture) as image:
        drawn = image.convert("RGB")
    beside = ImageChops.difference(drawn, Image.new("RGB", drawn.size, "magenta"))
    drawn.crop(beside.getbbox()).save(picture)


# -------------------------------------------------------------------------------------------------------------- VS Code


def _vscode(home: Path, picture: Path) -> None:
    """VS Code itself, served to a browser by code-server."""
    if not _CODE_SERVER.exists():
        sys.exit("code-server is needed: `make pictures-vscode` installs it")
    shutil.copytree(ROOT / "editors" / "vscode", home / "extension")
    pack = ["node", str(_VSCE), "package", "--no-dependencies", "--allow-missing-repository", "--skip-license"]
    subprocess.run([*pack, "--out", str(home / "wfc.vsix")], cwd=home / "extension", check=True, capture_output=True)
    page = (ROOT / "docs" / "editors" / "vscode.md").read_text(encoding="utf-8")
    tasks = next(block for block in page.split("```json\n")[1:] if '"tasks"' in block).partition("```")[0]
    (home / "shop" / ".vscode").mkdir()
    (home / "shop" / ".vscode" / "tasks.json").write_text(tasks, encoding="utf-8")
    # VS Code asks a login shell for the path.
    (home / ".profile").write_text('PATH="$HOME/tools:$PATH"\n', encoding="utf-8")
    command = ["node", "session.mjs", str(home), str(picture)]
    subprocess.run(command, cwd=_CODE_SERVER, env=_own(home), check=True)


def _small(drawn: Path, place: Path) -> None:
    """Few colours are many enough, and a third of the size."""
    with Image.open(drawn) as image:
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(place, optimize=True)


_DRAWN: dict[str, Callable[[Path, Path], None]] = {
    "check.png": _check,
    "vim.png": _vim,
    "emacs.png": _emacs,
    "vscode.png": _vscode,
}

if __name__ == "__main__":
    main(sys.argv[1:])
