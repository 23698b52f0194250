"""Secrets, from the environment or a file. They never become part of a history: they travel by name."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wfc.engine.services import ServiceError
from wfc.ir.boundary import Boundary, Misfit
from wfc.ir.machine import Machine

PREFIX = "WFC_SECRET_"


def secrets_for(machine: Machine, file: str | None, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """The secrets of a machine: `WFC_SECRET_NAME`, or a member `name` of a JSON file; raises ServiceError."""
    given: dict[str, Any] = {}
    if file is not None:
        try:
            given = json.loads(Path(file).read_text(encoding="utf-8"))
        except OSError as error:
            raise ServiceError(f"--secrets: {file} cannot be read: {error.strerror}") from None
        except ValueError:
            raise ServiceError(f"--secrets: {file} is no JSON") from None
        if not isinstance(given, dict):
            raise ServiceError(f"--secrets: {file} is to hold an object, a member a secret")
    found: dict[str, Any] = {}
    boundary = Boundary(machine)
    for name, kind in machine.secrets:
        short = name.rpartition(".")[2]
        value = environment.get(f"{PREFIX}{short.upper()}", given.get(name, given.get(short)))
        if value is None:
            continue
        try:
            found[name] = boundary.write(boundary.read(value, kind, short), kind)
        except Misfit as misfit:
            raise ServiceError(f"the secret `{short}` does not fit its type ({misfit.expected})") from None
    missing = [name.rpartition(".")[2] for name, _ in machine.secrets if name not in found]
    if missing:
        where = f"{PREFIX}{missing[0].upper()} in the environment, or `{missing[0]}` in the file of --secrets"
        raise ServiceError(f"the secret `{missing[0]}` is missing: {where}")
    return found
