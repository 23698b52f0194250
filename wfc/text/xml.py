"""XML as text: tags with attributes, and texts that any reader takes back whole. All ASCII."""

import re
from collections.abc import Mapping

from wfc.text.terminal import visible

# What XML 1.0 cannot hold, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'


def tag(name: str, attributes: Mapping[str, object], *, closed: bool = False) -> str:
    """An opening tag, or one that closes itself."""
    shown = "".join(f' {key}="{_quoted(str(given))}"' for key, given in attributes.items())
    return f"<{name}{shown}{'/' if closed else ''}>"


def _quoted(text: str) -> str:
    """A text between double quotes."""
    shown = escaped(text).replace('"', "&quot;")
    return shown.replace("\t", "&#9;").replace("\n", "&#10;")


def escaped(text: str) -> str:
    """A text between tags. Characters that XML cannot hold are shown by one that stands for them."""
    legal = _NOT_XML.sub(lambda match: visible(match.group()) if match.group() < "\x20" else "\ufffd", text)
    shown = legal.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    return shown.replace("\x7f", "&#127;").encode("ascii", "xmlcharrefreplace").decode("ascii")
