"""A finished smoke run to compare with, and projects to break: `make test-faults`, not part of `make test`."""

import shutil
from pathlib import Path

import pytest
from common import ENGINES, KINDS, new_project, said, shell


def pytest_addoption(parser) -> None:
    parser.addoption("--unbroken", help="folder of a finished smoke run, to save the time of making one")
    parser.addoption("--soak", type=float, default=120, help="seconds of the soak (default: 120)")


@pytest.fixture
def project(root, tmp_path) -> Path:
    return new_project(root, tmp_path / "project")


@pytest.fixture(scope="session")
def unbroken(root, tmp_path_factory, request) -> Path:
    """A project after one run of everything that nothing disturbed; to be read alone."""
    if given := request.config.getoption("--unbroken"):
        return Path(given)
    folder = new_project(root, tmp_path_factory.mktemp("unbroken") / "project")
    done = shell(*ENGINES["snakemake"], cwd=folder)
    assert done.returncode == 0, said(done)
    return folder


@pytest.fixture
def finished(project, unbroken) -> Path:
    """A project of its own with what the unbroken run made; the engines know nothing of it."""
    for kind in KINDS:
        shutil.copytree(unbroken / kind, project / kind)
    return project
