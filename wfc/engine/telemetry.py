"""Metrics and traces: served for Prometheus, or sent to an OpenTelemetry collector."""

from typing import Any
from urllib.parse import urlsplit

from temporalio.runtime import OpenTelemetryConfig, PrometheusConfig, Runtime, TelemetryConfig

from wfc.engine.server import ServerError

SERVICE = "wfc"  # the name of the service in traces, unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES say otherwise


def runtime_for(metrics: str | None, otlp: str | None) -> Runtime | None:
    """The SDK's runtime that serves metrics at an address, or sends them to a collector; None for neither.

    A collector's address with a path takes OTLP over HTTP (`http://host:4318/v1/metrics`), one without over gRPC.
    """
    config: Any
    if metrics is not None:
        config = PrometheusConfig(
            bind_address=metrics, counters_total_suffix=True, unit_suffix=True, durations_as_seconds=True
        )
    elif otlp is not None:
        config = OpenTelemetryConfig(url=otlp, durations_as_seconds=True, http=urlsplit(otlp).path.strip("/") != "")
    else:
        return None
    try:
        return Runtime(telemetry=TelemetryConfig(metrics=config, metric_prefix="temporal_"))
    except (RuntimeError, ValueError) as error:
        raise ServerError(f"metrics cannot be served at {metrics or otlp}: {error}") from None


def tracing() -> Any:  # noqa: ANN401 - an interceptor of the SDK's
    """Traces of all that a client and its workers do, sent to where `OTEL_EXPORTER_OTLP_ENDPOINT` says, over HTTP."""
    try:
        from opentelemetry import trace  # noqa: PLC0415 - only if wanted
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        from temporalio.contrib.opentelemetry import TracingInterceptor  # noqa: PLC0415
    except ImportError:
        raise ServerError("--traces needs OpenTelemetry: pip install 'wfc[traces]'") from None
    resource = Resource.create()
    if str(resource.attributes["service.name"]).startswith("unknown_service"):
        resource = resource.merge(Resource({"service.name": SERVICE}))
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return TracingInterceptor()
