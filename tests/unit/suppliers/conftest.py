"""One simulator for all tests of this folder; each test begins with an honest one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.supplier_process import SupplierProcess


@pytest.fixture(scope="session")
def simulator_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SupplierProcess]:
    process = SupplierProcess(Path(tmp_path_factory.mktemp("simulator")))
    yield process
    process.stop()


@pytest.fixture
def simulator(simulator_process: SupplierProcess) -> SupplierProcess:
    simulator_process.faults()
    return simulator_process
