"""Handles on what labels of a dataset mean: `dataset.ontology` and `dataset.guideline`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

from calotype.api.context import DatasetHandle, ref_text
from calotype.datasets.commits import Commit
from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.foundation.text_files import read_text
from calotype.guidelines import service
from calotype.guidelines.model import (
    ClassDiff,
    Guideline,
    GuidelineDiff,
    Migrated,
    Migration,
    Reading,
    Stale,
)

Text = str | PathLike[str]
"""A text, or the path of a file (a `Path`) that has it."""


class OntologyHandle(DatasetHandle):
    """The classes of a dataset."""

    def show(self) -> dict[str, Any]:
        """`classes` as mappings with id, name, colour, key, definition, tools, attributes and more; `closed`."""
        return self._call(service.show_ontology)

    def set(self, classes: Text, *, dry_run: bool = False) -> tuple[ClassDiff, ...]:
        """Change fields of classes by YAML, given as text or as a `Path`; labels stay. Raises: OntologyInvalid."""
        return self._call(service.set_ontology, _text(classes), dry_run=dry_run)

    def diff(self, a: str | Commit = "main", b: str | Commit = "") -> tuple[ClassDiff, ...]:
        """What changed from ref `a` to ref `b`; by default from the newest commit to the working state."""
        return self._call(service.diff_ontologies, ref_text(a), ref_text(b))

    def migrate(
        self,
        *,
        rename: Mapping[str, str] | None = None,
        merge: Mapping[str, Sequence[str]] | None = None,
        split: Mapping[str, Sequence[str]] | None = None,
        retire: Sequence[str] = (),
        to: str = "",
        delete_labels: bool = False,
        rename_attributes: Mapping[str, str] | None = None,
        drop_attributes: Sequence[str] = (),
        delete_values: bool = False,
        fill_attributes: Sequence[str] = (),
        map_values: Mapping[str, Mapping[str, str]] | None = None,
        dry_run: bool = True,
    ) -> Migrated:
        """Change classes and attributes with the labels of all label sets, as one edit; a dry run only counts.

        Args:
            rename: Old name -> new name.
            merge: Class that is kept, or a new one -> classes that become it.
            split: Class -> classes into which people sort its labels.
            retire: Classes that take no new labels.
            to: Class that gets the labels of those that retire.
            rename_attributes: `class.attribute` -> new name; the other attribute changes name them alike.
        Raises: ClassUnknown, ClassExists, MigrationInvalid.
        """
        migration = Migration(
            dict(rename or {}),
            {name: tuple(sources) for name, sources in (merge or {}).items()},
            {name: tuple(parts) for name, parts in (split or {}).items()},
            tuple(retire),
            to,
            delete_labels,
            dict(rename_attributes or {}),
            tuple(drop_attributes),
            delete_values,
            tuple(fill_attributes),
            dict(map_values or {}),
        )
        return self._call(service.migrate_ontology, migration, dry_run=dry_run)


class GuidelineHandle(DatasetHandle):
    """The guideline of a dataset."""

    def new(self, markdown: Text, *, touches: Sequence[str] = (), changelog: str = "") -> Guideline:
        """Write a draft, given as text or as a `Path`. Raises: GuidelineInvalid, ClassUnknown, SampleNotFound."""
        return self._call(service.new_guideline, _text(markdown), touches=touches, changelog=changelog)

    def publish(
        self, markdown: Text | None = None, *, touches: Sequence[str] = (), changelog: str = ""
    ) -> Guideline:
        """Publish the draft, or a text at once. Raises: GuidelineNotFound, GuidelineInvalid, ClassUnknown."""
        text = None if markdown is None else _text(markdown)
        return self._call(service.publish_guideline, text, touches=touches, changelog=changelog)

    def show(self, version: int = 0) -> Guideline:
        """A version; 0 is the newest published one. Raises: GuidelineNotFound."""
        return self._call(service.guideline, version)

    def versions(self) -> list[Guideline]:
        """All versions, newest first."""
        return self._call(service.guidelines)

    def diff(self, a: int = 0, b: int = 0) -> GuidelineDiff:
        """What changed from version `a` to `b`; by default from the last but one to the newest published."""
        return self._call(service.diff_guidelines, a, b)

    def reading(self) -> Reading:
        """Which version you have acknowledged, and what changed since."""
        return self._call(service.reading)

    def acknowledge(self, version: int = 0) -> Reading:
        """Say that you have read a version. Raises: GuidelineNotFound, GuidelineNotPublished."""
        return self._call(service.acknowledge, version)

    def stale(self, *, label_set: str = DEFAULT_LABEL_SET) -> Stale:
        """Labels made before a change that touches them: counts and hours, by class."""
        return self._call(service.stale, label_set=label_set)

    def stale_samples(
        self, *, label_set: str = DEFAULT_LABEL_SET, classes: Sequence[str] | None = None
    ) -> list[str]:
        """Ids of the samples with stale labels, of some classes or of all. Raises: ClassUnknown."""
        return self._call(service.stale_samples, label_set=label_set, classes=classes)


class GuidelineMethods(DatasetHandle):
    """What labels mean."""

    @cached_property
    def ontology(self) -> OntologyHandle:
        """The classes: show, set, compare and migrate them."""
        return OntologyHandle(self._context, self.name)

    @cached_property
    def guideline(self) -> GuidelineHandle:
        """The guideline: write, publish, compare and acknowledge it; list stale labels."""
        return GuidelineHandle(self._context, self.name)


def _text(given: Text) -> str:
    return given if isinstance(given, str) else read_text(Path(given))
