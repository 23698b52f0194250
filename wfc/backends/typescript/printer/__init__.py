"""Lays out the TypeScript that we write, as prettier would with lines of a hundred columns and its other defaults.

The rest of this backend writes code without a thought for its lines. Here it is read (`reader.py`, `statements.py`),
becomes a document (`expressions.py`, `chains.py`, `shapes.py`), and is printed (`wfc/text/doc.py`). A statement that
stands on one line, and fits there, is not even read. The code stays the same: only blanks and lines, and the commas,
semicolons and parentheses that go with them, are decided here.
"""

from wfc.backends.typescript.printer.statements import formatted

__all__ = ["formatted"]
