"""The table of error codes: HTTP status, exit code, and whether a retry may succeed."""

from __future__ import annotations

from dataclasses import dataclass

OK, FINDINGS, USAGE, NOT_FOUND, CONFLICT, EXTERNAL, BUG, INTERRUPTED = 0, 1, 2, 3, 4, 5, 70, 130


@dataclass(frozen=True, slots=True)
class Code:
    """How the doors translate an error code."""

    status: int
    exit_code: int
    retryable: bool = False


_INVALID = Code(422, USAGE)
_NOT_FOUND = Code(404, NOT_FOUND)
_CONFLICT = Code(409, CONFLICT)
_RED = Code(409, FINDINGS)
_EXTERNAL = Code(502, EXTERNAL, retryable=True)

CODES: dict[str, Code] = {
    # foundation: the base classes
    "internal": Code(500, BUG),
    "bug": Code(500, BUG),
    "invalid": _INVALID,
    "not-found": _NOT_FOUND,
    "already-exists": _CONFLICT,
    "conflict": _CONFLICT,
    "not-permitted": Code(403, USAGE),
    "checks-failed": _RED,
    "body-too-large": Code(413, USAGE),
    "request-invalid": _INVALID,
    "external": _EXTERNAL,
    "event-streams-taken": Code(503, EXTERNAL, retryable=True),
    "path-not-found": _NOT_FOUND,
    "path-exists": _CONFLICT,
    "text-file-invalid": _INVALID,
    "storage-failed": _EXTERNAL,
    # vision
    "class-exists": _CONFLICT,
    "ontology-class-unknown": _NOT_FOUND,
    "class-invalid": _INVALID,
    "image-unreadable": _INVALID,
    "rle-invalid": _INVALID,
    "box-corners-swapped": _INVALID,
    # store
    "workspace-not-found": _NOT_FOUND,
    "workspace-exists": _CONFLICT,
    "workspace-path-invalid": _INVALID,
    "workspace-read-only": Code(409, EXTERNAL),
    "workspace-too-new": _CONFLICT,
    "workspace-moved": _CONFLICT,
    "workspace-busy": Code(409, CONFLICT, retryable=True),
    "catalog-damaged": Code(500, EXTERNAL),
    "catalog-not-writable": _EXTERNAL,
    "writer-cut": Code(409, CONFLICT, retryable=True),
    "catalog-unreachable": _EXTERNAL,
    "catalog-url-invalid": _INVALID,
    "text-not-storable": _INVALID,
    "team-extra-missing": Code(500, EXTERNAL),
    "bucket-url-invalid": _INVALID,
    "bucket-by-reference-only": _INVALID,
    "bucket-failed": _EXTERNAL,
    "bucket-unsafe": _CONFLICT,
    "storage-file-invalid": _INVALID,
    "storage-other-workspace": _CONFLICT,
    "media-missing": _NOT_FOUND,
    "media-damaged": Code(500, EXTERNAL),
    "media-name-invalid": _INVALID,
    "file-unreadable": _INVALID,
    "table-damaged": Code(500, EXTERNAL),
    "rows-invalid": _INVALID,
    "vectors-invalid": _INVALID,
    "vectors-not-found": _NOT_FOUND,
    "lasso-invalid": _INVALID,
    "map-colour-unknown": _INVALID,
    "map-point-not-found": _NOT_FOUND,
    "images-mode-unknown": _INVALID,
    "media-mode-unknown": _INVALID,
    "media-changed": _CONFLICT,
    "media-gone": _NOT_FOUND,
    "table-moved": Code(409, CONFLICT, retryable=True),
    "job-lease-lost": Code(409, CONFLICT, retryable=True),
    # datasets
    "dataset-not-found": _NOT_FOUND,
    "dataset-exists": _CONFLICT,
    "name-invalid": _INVALID,
    "ref-not-found": _NOT_FOUND,
    "ref-ambiguous": _CONFLICT,
    "ref-exists": _CONFLICT,
    "merge-conflicts-open": _CONFLICT,
    "merge-resolution-invalid": _INVALID,
    "merge-conflict-not-found": _NOT_FOUND,
    "merge-not-found": _NOT_FOUND,
    "merge-closed": _CONFLICT,
    "merge-blocked": _RED,
    "merge-behind": _CONFLICT,
    "nothing-to-merge": _CONFLICT,
    "nothing-to-undo": _CONFLICT,
    "blame-target-not-found": _NOT_FOUND,
    "branch-protected": _CONFLICT,
    "protection-invalid": _INVALID,
    "sample-not-found": _NOT_FOUND,
    "nothing-to-commit": _CONFLICT,
    "working-state-moved": Code(409, CONFLICT, retryable=True),
    "working-state-dirty": _CONFLICT,
    "label-set-not-found": _NOT_FOUND,
    "annotation-invalid": _INVALID,
    "sample-invalid": _INVALID,
    "metadata-invalid": _INVALID,
    "message-invalid": _INVALID,
    "label-file-unreadable": _INVALID,
    "format-unknown": _NOT_FOUND,
    "contract-invalid": _INVALID,
    "query-invalid": _INVALID,
    "query-field-unknown": _INVALID,
    "recipe-invalid": _INVALID,
    "recipe-does-not-fit": _INVALID,
    # annotate
    "edits-invalid": _INVALID,
    "edit-target-not-found": _NOT_FOUND,
    "edit-outdated": _CONFLICT,
    "edit-id-taken": _CONFLICT,
    "edit-not-last": _CONFLICT,
    "no-edit-to-undo": _CONFLICT,
    "no-edit-to-redo": _CONFLICT,
    # transform
    "recipe-random": _INVALID,
    "target-has-own-samples": _CONFLICT,
    "class-mapping-invalid": _INVALID,
    "transform-file-not-found": _NOT_FOUND,
    # checks
    "inputs-invalid": _INVALID,
    "image-not-embeddable": _INVALID,
    "embed-extra-missing": Code(500, EXTERNAL),
    "tensor-file-unreadable": Code(500, EXTERNAL),
    "check-unknown": _INVALID,
    "check-plug-in-invalid": Code(500, EXTERNAL),
    "contract-format-unknown": _INVALID,
    "finding-not-found": _NOT_FOUND,
    "finding-decision-invalid": _INVALID,
    "finding-not-repairable": _INVALID,
    "finding-outdated": _CONFLICT,
    "finding-selection-missing": _INVALID,
    "finding-group-unknown": _INVALID,
    "finding-undo-empty": _CONFLICT,
    "fix-not-found": _NOT_FOUND,
    "fix-outdated": _CONFLICT,
    "decision-missing": _INVALID,
    "data-tests-failed": _INVALID,
    "report-format-unknown": _INVALID,
    "check-run-not-found": _NOT_FOUND,
    # app
    "port-taken": _CONFLICT,
    "token-needed": _INVALID,
    "host-not-usable": _INVALID,
    "port-not-usable": _INVALID,
    "address-invalid": Code(400, USAGE),
    "address-too-long": Code(414, USAGE),
    "headers-too-large": Code(431, USAGE),
    "head-too-large": Code(431, USAGE),
    "head-too-slow": Code(408, USAGE, retryable=True),
    "body-invalid": Code(400, USAGE),
    "request-malformed": Code(400, USAGE),
    "request-too-slow": Code(408, USAGE, retryable=True),
    # browse
    "by-unknown": _INVALID,
    "sort-unknown": _INVALID,
    "picture-not-found": _NOT_FOUND,
    "view-not-found": _NOT_FOUND,
    "view-exists": _CONFLICT,
    "view-name-invalid": _INVALID,
    "view-invalid": _INVALID,
    "views-full": _CONFLICT,
    # acquire
    "upload-too-large": Code(413, USAGE),
    "upload-name-invalid": _INVALID,
    # annotate
    "label-items-invalid": _INVALID,
    "export-not-readable": _INVALID,
    "import-not-clean": _INVALID,
    "nothing-to-convert": _INVALID,
    "nothing-to-import": _INVALID,
    "policy-unknown": _INVALID,
    # curate
    "nothing-to-curate": _INVALID,
    "pick-strategy-unknown": _INVALID,
    "selection-name-invalid": _INVALID,
    "selection-too-large": _INVALID,
    "split-field-unknown": _INVALID,
    "split-fractions-invalid": _INVALID,
    # release
    "release-blocked": _RED,
    "purpose-missing": _INVALID,
    "purpose-not-allowed": _RED,
    "purpose-invalid": _INVALID,
    "release-empty": _INVALID,
    "release-exists": _CONFLICT,
    "release-uncommitted": _CONFLICT,
    "release-not-found": _NOT_FOUND,
    "release-file-not-found": _NOT_FOUND,
    "size-invalid": _INVALID,
    "split-not-found": _NOT_FOUND,
    "target-not-empty": _CONFLICT,
    "target-not-writable": _EXTERNAL,
    "torch-missing": Code(502, EXTERNAL),
    "version-invalid": _INVALID,
    # pipeline
    "pipeline-invalid": _INVALID,
    "pipeline-file-not-found": _NOT_FOUND,
    "pipeline-running": Code(409, CONFLICT, retryable=True),
    "pipeline-gate-red": _RED,
    "pipeline-release-taken": _CONFLICT,
    "run-not-found": _NOT_FOUND,
    # reliability
    "move-target-taken": _CONFLICT,
    "move-copy-differs": _CONFLICT,
    "backup-not-found": _NOT_FOUND,
    "backup-of-another-workspace": _CONFLICT,
    "backup-part-missing": _NOT_FOUND,
    "backup-target-unusable": _EXTERNAL,
    "duration-invalid": _INVALID,
    "repair-source-not-found": _NOT_FOUND,
    "restore-target-taken": _CONFLICT,
    # models
    "embedder-unknown": _NOT_FOUND,
    "model-unusable": _INVALID,
    "onnx-runtime-missing": Code(502, EXTERNAL),
}


def code_of(code: str) -> Code:
    """The row of a code; an unlisted code counts as a bug."""
    return CODES.get(code, CODES["bug"])
