"""Parts of a workspace alone, each in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from calotype.store.catalog.catalog import Catalog
from calotype.store.media.objects import Media
from calotype.store.tables.tables import Tables


@pytest.fixture(autouse=True)
def quick_catalogs() -> None:
    """Catalogs are migrated here as everywhere outside the tests."""


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a new catalog, so that not every test has to migrate one."""
    folder = tmp_path_factory.mktemp("migrated")
    Catalog(folder / "catalog.sqlite").close()
    return (folder / "catalog.sqlite").read_bytes()


@pytest.fixture
def catalog_file(tmp_path: Path, migrated: bytes) -> Path:
    """A new catalog that nobody has open."""
    file = tmp_path / "catalog.sqlite"
    file.write_bytes(migrated)
    return file


@pytest.fixture
def catalog(catalog_file: Path) -> Iterator[Catalog]:
    """A new catalog."""
    opened = Catalog(catalog_file)
    yield opened
    opened.close()


@pytest.fixture
def media(tmp_path: Path) -> Media:
    """Media on a disk."""
    return Media(tmp_path / "media")


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    """Tables on a disk."""
    return Tables(tmp_path / "tables")
