"""Which pictures of editors the docs have, and what each is drawn from."""

import hashlib
import re
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

from wfc import __version__
from wfc.cli.main import main
from wfc.syntax.tables import WORDS

ROOT = Path(__file__).resolve().parents[2]
EDITORS = ROOT / "editors"
IMAGES = ROOT / "docs" / "images" / "editors"
TOLD = IMAGES / "pictures.json"
SHOP = Path(__file__).parent / "shop"  # the process that all of them show

# Each picture with the files of `editors/` that it shows at work, and how it has the problems written.
_CONCISE = ("concise", "never")
PICTURES = {
    "check.png": ((), ("full", "always")),
    "vim.png": (("vim/*/wf.vim", "vim/*/wfc.vim"), _CONCISE),
    "emacs.png": (("emacs/wfc-mode.el",), _CONCISE),
    "vscode.png": (
        ("vscode/package.json", "vscode/language-configuration.json", "vscode/syntaxes/wf.tmLanguage.json"),
        _CONCISE,
    ),
}

_TOKEN = re.compile(r'\w+|[^\w\s|"\\]')  # without what stands between the words of a list


def drawn_from(name: str) -> str:
    """A digest of what a picture shows: when it is another one, the picture is out of date."""
    patterns, (form, colour) = PICTURES[name]
    files = [path for pattern in patterns for path in sorted(EDITORS.glob(pattern))]
    texts = [path.read_text(encoding="utf-8") for path in sorted(SHOP.iterdir())]
    texts += [_said(form, colour), *(shown(path.read_text(encoding="utf-8")) for path in files)]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def shown(text: str) -> str:
    """A file of an editor without what no picture shows: words that the process has not, and the version.

    So a word more in the language, or a release, asks for no new pictures.
    """
    unseen = set(WORDS) - set(_TOKEN.findall((SHOP / "orders.wf").read_text(encoding="utf-8")))
    return " ".join(token for token in _TOKEN.findall(text.replace(__version__, "")) if token not in unseen)


def _said(form: str, colour: str) -> str:
    """What `wfc check` says of the process that is shown."""
    with chdir(SHOP), redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()):
        main(["check", "--output-format", form, "--color", colour])
    return out.getvalue()
