"""The HTTP door of releases."""

from __future__ import annotations

from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.exchange import registry
from calotype.foundation.actor import Permission
from calotype.foundation.http import Ask, Named, Seed, action, file_answer, room_routes
from calotype.release import answers, card_text, service
from calotype.release.model import ReleaseFileNotFound, ReleaseSpec

routes = room_routes("release")

READ = action(Permission.DATASET_READ)


class NewRelease(BaseModel):
    """A version to freeze; fields as the options of `calotype release`."""

    version: str = Field(max_length=64)
    split: dict[str, float] | None = Field(None, max_length=20)
    by: str | None = Field(None, max_length=200)
    where: str | None = Field(None, max_length=10_000)
    seed: Seed = 0
    formats: list[str] = Field(
        default_factory=lambda: ["coco"],
        max_length=20,
        json_schema_extra={"items": {"type": "string", "enum": list(registry.WRITABLE)}},
    )
    label_set: str = Field(DEFAULT_LABEL_SET, max_length=200)
    purpose: str = Field("", max_length=500)
    uncommitted: bool = Field(
        True, description="Commit and release pending edits too; otherwise they stop the release."
    )


@routes.get("/datasets/{dataset}/releases", **READ)
def list_releases(dataset: Named, ask: Ask) -> answers.ReleaseList:
    """Releases, newest first."""
    made = service.releases(ask.actor, dataset, store=ask.store)
    return answers.ReleaseList.of({"items": [release.to_dict() for release in made]})


@routes.post("/datasets/{dataset}/releases", status_code=201, **action(Permission.RELEASE_CREATE))
def create_release(dataset: Named, body: NewRelease, ask: Ask) -> answers.ReleaseRow:
    """Freeze the working state as a version, if its gates are green."""
    spec = ReleaseSpec(
        formats=tuple(body.formats),
        label_set=body.label_set,
        where=body.where or "",
        split=body.split,
        by=body.by,
        seed=body.seed,
        purpose=body.purpose,
        uncommitted=body.uncommitted,
    )
    made = service.release(
        ask.actor,
        dataset,
        body.version,
        spec,
        store=ask.store,
        gatekeeper=ask.ports.gatekeeper(ask.store),
        splitter=ask.ports.splitter,
    )
    return answers.ReleaseRow.of(made.to_dict())


@routes.get("/datasets/{dataset}/releases/plan", **READ)
def plan_release(dataset: Named, ask: Ask) -> answers.ReleasePlan:
    """What a release of the working state would hold: uncommitted changes, and what differs from the last release."""
    return answers.ReleasePlan.of(service.plan(ask.actor, dataset, store=ask.store).to_dict())


@routes.get("/datasets/{dataset}/releases/{version}", **READ)
def show_release(dataset: Named, version: Named, ask: Ask) -> answers.Release:
    """A release with its card and its files."""
    made = service.get(ask.actor, dataset, version, store=ask.store)
    card = {**made.card, "markdown": card_text.markdown(made.card)}
    files = [file.to_dict() for file in made.files]
    return answers.Release.of({**made.to_dict(), "card": card, "files": files})


@routes.get(
    "/datasets/{dataset}/releases/{version}/files/{path:path}",
    response_class=FileResponse,
    **file_answer("*/*"),
    **action(Permission.EXPORT),
)
def download_release_file(dataset: Named, version: Named, path: Named, ask: Ask) -> FileResponse:
    """One file of a release: a card, a list of samples, labels. Only files that the release lists."""
    ask.store.guard.require(ask.actor, Permission.EXPORT, dataset=dataset)
    made = service.get(ask.actor, dataset, version, store=ask.store)
    file = service.location(ask.store, dataset, version) / path
    if path not in {listed.path for listed in made.files} or not file.is_file():
        raise ReleaseFileNotFound(dataset=dataset, version=version, got=path[:200])
    return FileResponse(file, filename=file.name, content_disposition_type="attachment")
