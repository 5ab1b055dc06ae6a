"""Response models of guidelines and of the ontology."""

from __future__ import annotations

from pydantic import Field

from calotype.foundation.answers import Answer, Number, Pair, Timestamp


class OntologyAttribute(Answer):
    """An attribute of a class."""

    name: str
    type: str = Field(description="text, number, boolean or choice.")
    required: bool
    default: str | bool | Number | None
    choices: list[str]


class OntologyClass(Answer):
    """A class as it is shown and chosen."""

    id: int
    name: str
    colour: str = Field(description="`#rrggbb`.")
    key: str = Field(
        description="The key that chooses it; empty for a retired class, or where no key is left."
    )
    definition: str
    tools: list[str] = Field(description="The kinds that its annotations may have.")
    attributes: list[OntologyAttribute]
    keypoints: list[str]
    skeleton: list[Pair[int]] = Field(description="Keypoints that are joined, by index from 0.")
    parent: str = Field(description="The class above it; empty for none.")
    supercategory: str
    retired: bool = Field(description="It takes no new annotations.")
    split_into: list[str] = Field(description="The classes into which its annotations wait to be sorted.")


class Ontology(Answer):
    """The classes of a state."""

    dataset: str
    closed: bool = Field(description="No import may add a class.")
    classes: list[OntologyClass]


class FieldChange(Answer):
    """A field of a class before and after: a text, or other values as JSON; null where it is not set."""

    field: str
    before: str | None
    after: str | None


class ClassChange(Answer):
    """A class that was added, removed or changed."""

    id: int
    class_: str = Field(alias="class")
    change: str = Field(description="added, removed or changed.")
    fields: list[FieldChange]


class OntologyChanges(Answer):
    """What differs between two states of the ontology."""

    classes: list[ClassChange]


class LabelCount(Answer):
    """Labels, and the samples that they are on."""

    labels: int
    samples: int


class ClassOutcome(Answer):
    """What a migration does to one class."""

    class_: str = Field(alias="class")
    action: str = Field(description="renamed, merged, split, retired, moved, deleted or attributes.")
    to: list[str]
    labels: int
    by_label_set: dict[str, LabelCount]
    notes: list[str] = Field(description="What else follows, in words.")


class Migrated(Answer):
    """What a migration of the ontology does, or did."""

    applied: bool
    written: int = Field(description="Labels that get another class or other attributes.")
    deleted: int
    samples: int
    to_sort: int = Field(description="Labels of classes that were split, for people to sort.")
    classes: list[ClassOutcome]
    new_classes: list[str]


class Touch(Answer):
    """A class whose labels a version makes stale, or one attribute of it."""

    class_: str = Field(alias="class")
    class_id: int
    attribute: str | None


class GuidelineHead(Answer):
    """A version of the guideline, without its text."""

    dataset: str
    version: int
    state: str = Field(description="draft or published.")
    changelog: str
    touches: list[Touch]
    created_by: str
    created_at: Timestamp
    published_by: str
    published_at: Timestamp | None


class GuidelineList(Answer):
    """The versions, newest first."""

    items: list[GuidelineHead]


class GuidelineExample(Answer):
    """A sample, or a region of it, that shows what is right or wrong."""

    sample_id: str
    sample: str = Field(description="Its name.")
    caption: str
    verdict: str = Field(description="good or bad.")
    bbox: list[Number] | None = Field(description="x, y, width, height in pixels; null for the whole image.")


class Guideline(GuidelineHead):
    """A version of the guideline. The text is Markdown from a person: show it without raw HTML."""

    text: str
    examples: list[GuidelineExample]


class ChangelogLine(Answer):
    """What a version changed."""

    version: int
    changelog: str


class GuidelineDiff(Answer):
    """What differs between two versions; `before` is 0 for nothing."""

    before: int
    after: int
    lines: list[str] = Field(description="A unified diff of the texts.")
    changelog: list[ChangelogLine]
    touches: list[str]
    examples_added: int
    examples_removed: int


class GuidelineReading(Answer):
    """Which version somebody has read, and what changed since the one that they acknowledged before."""

    version: int = Field(description="The newest published version; 0 for none.")
    acknowledged_version: int
    acknowledged: bool
    changes: GuidelineDiff


class StaleClass(Answer):
    """The stale labels of one class."""

    labels: int
    samples: int
    hours: Number
    seconds_each: Number
    measured: bool = Field(
        description="The time is the median of what people took, not a default for the kind."
    )
    reasons: list[str] = Field(description="guideline, split.")


class StaleLabels(Answer):
    """Labels made before a change that touches them; only those of original samples count."""

    labels: int
    samples: int
    hours: Number
    by_class: dict[str, StaleClass]
    copies: int = Field(description="Labels on copies, which follow their originals.")
    basis: str = Field(description="Where the hours come from: measured, default or both.")
    label_set: str
    version: int = Field(description="The newest published version; 0 for none.")


class StaleSamples(Answer):
    """Ids of the samples with stale labels."""

    total: int
    ids: list[str]
