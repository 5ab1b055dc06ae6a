"""Plans the work of a recipe: which derived samples are missing or out of date, and which to remove."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

from calotype.datasets.model import Annotation, Sample
from calotype.datasets.snapshot import LabelSetNotFound, Snapshot, Where
from calotype.foundation.ids import canonical_json, sha256_json, uuid8
from calotype.transform.recipe import Recipe
from calotype.transform.recipe_labels import Swaps
from calotype.vision.keypoints import stated_mirror_order

PARENT_STATE = "parent_state"
"""Key in `Sample.extra` of a derived sample: the hash of its inputs."""

PARENT_DATASET = "parent_dataset"
"""Key in `Sample.extra` of a derived sample whose parent is in another dataset: the name of that dataset."""

_NOT_HASHED = frozenset({"import_id", "created_at_us"})


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One derived sample to make. Plain values only, so that it fits in a job's payload."""

    parent_id: str
    parent_state: str
    copy: int
    sample_id: str
    name_stem: str

    def to_dict(self) -> dict[str, Any]:
        """The item as plain values, for a job's payload."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> WorkItem:
        """The item from a job's payload."""
        return cls(**value)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which samples a recipe applies to, and which of their annotations.

    Args:
        where: Only samples that match this query.
        splits: Only samples of these splits; "" stands for samples without a split. None: all.
        label_sets: Only annotations of these label sets. None: all.
    """

    where: Where = None
    splits: tuple[str, ...] | None = None
    label_sets: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Worklist:
    """A plan: the derived samples to make, how many are up to date, and the ids of those to remove."""

    items: tuple[WorkItem, ...]
    unchanged: int = 0
    remove: tuple[str, ...] = ()
    label_sets: tuple[str, ...] = ()

    def counts(self) -> dict[str, int]:
        """Numbers of derived samples to make, up to date and to remove."""
        return {"to_make": len(self.items), "unchanged": self.unchanged, "to_remove": len(self.remove)}


def plan(snapshot: Snapshot, recipe: Recipe, scope: Scope, *, target: Snapshot | None = None) -> Worklist:
    """Compare the derived samples that should exist with those that do.

    A derived sample is removed when its parent was removed or left the splits, when an older version of the recipe made
    it, or when the recipe now asks for fewer copies. Derived samples of parents that `where` excludes stay as they are.
    Parents are the samples that are not derived themselves; with a separate target, all samples.

    Args:
        snapshot: The state that holds the parents.
        recipe: The recipe.
        scope: Which samples it applies to.
        target: The state that holds the derived samples, when that is another dataset.
    Raises:
        LabelSetNotFound, QueryInvalid, QueryFieldUnknown.
    """
    label_sets = chosen_label_sets(snapshot, scope.label_sets)
    samples = list(snapshot.iter_samples())
    originals = {s.sample_id: s for s in samples if target is not None or _is_parent(s)}
    target_samples = samples if target is None else target.iter_samples()
    present = {sample.sample_id: sample for sample in target_samples if _is_from(sample, recipe)}
    matching = set(snapshot.ids(scope.where)) if scope.where is not None else set(originals)
    in_split = {
        key for key, sample in originals.items() if scope.splits is None or sample.split in scope.splits
    }
    parents = [originals[key] for key in originals if key in matching and key in in_split]
    stems = Counter(_stem(sample.name) for sample in originals.values())
    states = parent_states(snapshot, parents, label_sets)
    items, wanted = [], set[str]()
    for parent in parents:
        for copy in range(recipe.copies):
            sample_id = derived_id(parent.sample_id, recipe, copy, into=target)
            wanted.add(sample_id)
            current = present.get(sample_id)
            if current is None or current.extra.get(PARENT_STATE) != states[parent.sample_id]:
                stem = _name_stem(parent, recipe, copy, unique=stems[_stem(parent.name)] == 1)
                items.append(WorkItem(parent.sample_id, states[parent.sample_id], copy, sample_id, stem))
    in_scope = {parent.sample_id for parent in parents}
    remove = tuple(
        key
        for key, sample in present.items()
        if key not in wanted and (sample.parent_id in in_scope or sample.parent_id not in in_split)
    )
    return Worklist(tuple(items), len(wanted) - len(items), remove, label_sets)


def chosen_label_sets(snapshot: Snapshot, label_sets: Sequence[str] | None) -> tuple[str, ...]:
    """The requested label sets; all of them for None. Raises: LabelSetNotFound."""
    for name in label_sets or ():
        if name not in snapshot.label_sets:
            known = ", ".join(snapshot.label_sets) or "none"
            raise LabelSetNotFound(dataset=snapshot.dataset.name, got=name, known=known)
    return snapshot.label_sets if label_sets is None else tuple(label_sets)


def derived_id(parent_id: str, recipe: Recipe, copy: int, *, into: Snapshot | None = None) -> str:
    """The id of a derived sample; the same parent, recipe and copy always give the same id."""
    place = () if into is None else (into.dataset.id,)
    return uuid8(parent_id, recipe.sha256, str(copy), *place)


def parent_states(snapshot: Snapshot, parents: Iterable[Sample], label_sets: Sequence[str]) -> dict[str, str]:
    """For each parent, the hash of everything that its derived samples are made from."""
    listed = list(parents)
    ids = [parent.sample_id for parent in listed]
    by_parent: dict[str, dict[str, list[Annotation]]] = defaultdict(dict)
    for label_set in label_sets:
        for sample_id, of_sample in snapshot.annotations_of(ids, label_set).items():
            by_parent[sample_id][label_set] = of_sample
    swaps = mirror_orders(snapshot)
    return {parent.sample_id: _state(parent, by_parent[parent.sample_id], swaps) for parent in listed}


def mirror_orders(snapshot: Snapshot) -> dict[int, tuple[int, ...]]:
    """Class id -> mirrored order of its keypoints: as its file states it (`flip_idx`), else by left and right in the
    names."""
    classes = snapshot.ontology.classes
    orders = {c.id: stated_mirror_order(c.keypoints, c.extra) for c in classes if c.keypoints}
    return {class_id: order for class_id, order in orders.items() if order is not None}


def _state(parent: Sample, annotations: Mapping[str, Sequence[Annotation]], swaps: Swaps) -> str:
    kept = ("media_sha256", "name", "mime", "split", "group", "source", "licence")
    sample: dict[str, Any] = {name: getattr(parent, name) for name in kept}
    sample |= {"tags": list(parent.tags), "metadata": dict(parent.metadata)}
    sets = {name: [_plain(annotation) for annotation in of_set] for name, of_set in annotations.items()}
    used = {a.class_id for of_set in annotations.values() for a in of_set if a.class_id in swaps}
    orders = {str(class_id): list(swaps[class_id]) for class_id in used}
    return sha256_json({"sample": sample, "annotations": sets, "mirror": orders})


def _plain(annotation: Annotation) -> str:
    names = (name for name in Annotation.__dataclass_fields__ if name not in _NOT_HASHED)
    value = {name: getattr(annotation, name) for name in names}
    return canonical_json(
        {**value, "attributes": dict(annotation.attributes), "extra": dict(annotation.extra)}
    )


def _is_parent(sample: Sample) -> bool:
    return not sample.is_derived or PARENT_DATASET in sample.extra


def _is_from(sample: Sample, recipe: Recipe) -> bool:
    return sample.is_derived and sample.recipe.rpartition("@")[0] == recipe.name


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix("")) if PurePosixPath(name).name else name


def _name_stem(parent: Sample, recipe: Recipe, copy: int, *, unique: bool) -> str:
    """`<parent stem>~<recipe>-<copy>`; the full parent name where two parents share a stem."""
    number = f"-{copy}" if recipe.random_steps else ""
    return f"{_stem(parent.name) if unique else parent.name}~{recipe.name}{number}"[:4_090]
