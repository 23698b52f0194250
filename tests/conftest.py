"""Options and profiles for all tests."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]

settings.register_profile("fast", max_examples=20, deadline=None)
settings.register_profile("ci", max_examples=50, deadline=None, derandomize=True)
settings.register_profile("nightly", max_examples=10_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite expected output with what the program says now")


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile(os.environ.get("WFC_HYPOTHESIS") or ("ci" if os.environ.get("CI") else "fast"))
    if config.getoption("--update") and getattr(config.option, "numprocesses", None):
        raise pytest.UsageError("--update rewrites files: run it in one process, without -n")


@pytest.fixture
def root() -> Path:
    return ROOT
