"""Where Temporal is: the embedded server of a folder, or a cluster by address, as the SDK's configuration says it."""

import importlib
import re
import sys
import traceback
from pathlib import Path
from typing import Any

import attrs
from temporalio.client import Client
from temporalio.converter import DataConverter, PayloadCodec
from temporalio.envconfig import ClientConfig

from wfc.engine.server import FOLDER, ServerError, running
from wfc.engine.telemetry import runtime_for, tracing
from wfc.text.names import did_you_mean


@attrs.frozen
class Where:
    """What the command line says of a cluster; what it does not say is taken from `TEMPORAL_*` and the SDK's file."""

    address: str | None = None
    namespace: str | None = None
    api_key: str | None = None
    tls: bool | None = None
    codec: str | None = None  # package.module:object, a PayloadCodec
    folder: str = FOLDER
    metrics: str | None = None  # address of an endpoint for Prometheus
    otlp: str | None = None  # address of an OpenTelemetry collector
    traces: bool = False

    @property
    def is_cluster(self) -> bool:
        """Whether a cluster is named, here or in the environment."""
        return bool(self.address or _profile().get("target_host"))


def _profile() -> Any:  # noqa: ANN401 - a dict of the SDK's
    try:
        return ClientConfig.load_client_connect_config()
    except (RuntimeError, ValueError) as error:
        raise ServerError(f"the configuration of Temporal cannot be read: {error}") from None


def load_object(name: str, what: str) -> Any:  # noqa: ANN401 - the user's
    """`package.module:object`, found from the current folder; raises ServerError with what is missing."""
    module, sign, path = name.partition(":")
    if not sign or not module or not path:
        raise ServerError(f"{what}: `{name}` is not of the form package.module:object")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise ServerError(f"{what}: `{module}` cannot be imported: {_told(error)}") from None
        raise ServerError(f"{what}: there is no module `{module}`, seen from this folder") from None
    except Exception as error:  # noqa: BLE001 - the user's module may raise anything
        raise ServerError(f"{what}: `{module}` cannot be imported: {_told(error)}") from None
    for part in path.split("."):
        if not hasattr(found, part):
            near = did_you_mean(part, [each for each in dir(found) if not each.startswith("_")])
            raise ServerError(f"{what}: `{module}` has no `{path}`" + (f"; {near}" if near else ""))
        found = getattr(found, part)
    if not isinstance(found, type):
        return found
    try:
        return found()
    except Exception as error:  # noqa: BLE001 - the user's class may raise anything
        raise ServerError(f"{what}: no object of the class `{path}` can be made: {_told(error)}") from None


def _told(error: Exception) -> str:
    """What the user's code has raised, and where."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    is_ours = last.filename == __file__ or isinstance(error, SyntaxError)
    where = "" if is_ours else f" ({Path(last.filename).name}, line {last.lineno})"
    return f"{type(error).__name__}: {error}{where}"


async def connect(where: Where, address: str | None = None) -> Client:
    """A client of the cluster that is named, or of the embedded server; raises ServerError."""
    config = dict(_profile())
    if where.is_cluster:
        config |= {"target_host": where.address} if where.address else {}
        config |= {"namespace": where.namespace} if where.namespace else {}
        config |= {"api_key": where.api_key} if where.api_key else {}
        if where.tls and not config.get("tls"):  # else certificates are named in the environment or the SDK's file
            config["tls"] = True
    else:
        there = address or getattr(running(where.folder), "address", None)
        if there is None:
            raise ServerError(
                "no server runs here: `wfc run` and `wfc worker` start one, --address HOST:PORT names another"
            )
        config = {"target_host": there}
    if where.codec is not None:
        codec = load_object(where.codec, "--codec")
        if not isinstance(codec, PayloadCodec):
            raise ServerError(f"--codec: `{where.codec}` is no temporalio.converter.PayloadCodec")
        config["data_converter"] = _encoded(codec)
    runtime = runtime_for(where.metrics, where.otlp)
    if runtime is not None:
        config["runtime"] = runtime
    if where.traces:
        config["interceptors"] = [tracing()]
    try:
        return await Client.connect(**config)
    except RuntimeError as error:
        place = config.get("target_host")
        raise ServerError(f"Temporal cannot be reached at {place}: {_first(error)}") from None


def _encoded(codec: PayloadCodec) -> DataConverter:
    """The usual converter with a codec behind it."""
    return DataConverter(payload_codec=codec)


def _first(error: BaseException) -> str:
    text = str(error).partition("\n")[0]
    found = re.search(r'message: "([^"]+)"', text)
    return found[1] if found is not None else text
