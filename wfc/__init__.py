"""A declarative language for business processes, and its compiler. This file is read at every start: keep it so."""

__version__ = "0.1.0"
