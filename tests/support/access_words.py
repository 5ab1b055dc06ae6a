"""A second writing of the rules of access, in Python, word for word: what tests hold Cedar's answers against."""

from __future__ import annotations

from calotype.foundation.actor import Actor, Circumstances, Permission

MODELS = ("central", "decentral", "hybrid")
_P = Permission
_SEE = {_P.ACCOUNT_OWN, _P.DATASET_READ}
_LOOK = _SEE | {_P.CHECK_RUN}
_EDIT = _LOOK | {_P.DATASET_EDIT, _P.DATASET_COMMIT}
_JUDGE = {_P.FINDING_TRIAGE, _P.FINDING_JUDGE}
_WORK = {_P.WORK_DO, _P.WORK_REVIEW}
_LABEL = _WORK | {_P.BATCH_MANAGE, _P.GUIDELINE_EDIT}
_JUDGE_AND_LABEL = _JUDGE | _LABEL
_OVERSEE = _SEE | {_P.AUDIT_READ, _P.PEOPLE_READ}
_CURATE = _EDIT | _JUDGE_AND_LABEL | {_P.CONTRACT_EDIT, _P.RELEASE_CREATE, _P.EXPORT}
_CONSUME = _LOOK | {_P.EXPORT}
_SERVE = _EDIT | {_P.PIPELINE_RUN, _P.EXPORT, _P.WORK_DO}
_ALL = set(Permission)
_COMMON = {
    "owner": (_ALL, _ALL),
    "auditor": (_OVERSEE, _OVERSEE),
    "annotator": (_SEE | {_P.WORK_DO}, _SEE | {_P.WORK_DO}),
    "reviewer": (_SEE | _WORK | {_P.FINDING_TRIAGE}, _SEE | _WORK | {_P.FINDING_TRIAGE}),
    "vendor-annotator": (set(), {_P.ACCOUNT_OWN, _P.WORK_DO}),
}
_ENGINEER = _EDIT | {_P.FINDING_TRIAGE, _P.DATASET_CREATE, _P.EXPORT, _P.PIPELINE_RUN, _P.RELEASE_CREATE,
                     _P.WORKSPACE_MAINTAIN}  # fmt: skip
_BUILD = _EDIT | _WORK | {_P.FINDING_TRIAGE, _P.EXPORT, _P.PIPELINE_RUN, _P.BATCH_MANAGE}
_STANDARDS = _LOOK | _JUDGE | {_P.GUIDELINE_EDIT, _P.CONTRACT_EDIT, _P.RELEASE_CREATE}
WORDS = {
    "central": {
        **_COMMON,
        "head-of-dataops": (_ALL, _ALL),
        "data-engineer": (_ENGINEER, _ENGINEER),
        "curator": (_CURATE, _CURATE),
        "labelling-manager": (_EDIT | _JUDGE_AND_LABEL, _EDIT | _JUDGE_AND_LABEL),
        "ml-engineer": (_CONSUME, _CONSUME),
        "service": (_SERVE, _SERVE),
    },
    "decentral": {
        **_COMMON,
        "head-of-dataops": (_OVERSEE, _OVERSEE),
        "data-engineer": (_SEE | {_P.DATASET_CREATE, _P.WORKSPACE_MAINTAIN}, _CURATE | {_P.PIPELINE_RUN}),
        "curator": (_LOOK, _CURATE),
        "labelling-manager": (_LOOK, _EDIT | _JUDGE_AND_LABEL),
        "ml-engineer": (_LOOK | {_P.DATASET_CREATE}, _CURATE | {_P.PIPELINE_RUN}),
        "service": (_LOOK, _SERVE),
    },
    "hybrid": {
        **_COMMON,
        "head-of-dataops": (_ALL - {_P.DATASET_EDIT, _P.DATASET_COMMIT, _P.EXPORT, _P.PIPELINE_RUN},) * 2,
        "data-engineer": (_LOOK | {_P.DATASET_CREATE, _P.PIPELINE_RUN, _P.WORKSPACE_MAINTAIN}, _BUILD),
        "curator": (_STANDARDS, _BUILD),
        "labelling-manager": (_EDIT | _JUDGE_AND_LABEL, _EDIT | _JUDGE_AND_LABEL),
        "ml-engineer": (_CONSUME, _BUILD | _CONSUME),
        "service": (_SERVE, _SERVE),
    },
}
"""Model -> role -> what it allows where it is held on the whole workspace, and where on one dataset."""
_GOVERN = {_P.PEOPLE_MANAGE, _P.GRANT_MANAGE}


def allowed_in_words(
    model: str, actor: Actor, permission: Permission, resource: str, circumstances: Circumstances
) -> bool:
    """Whether the rules allow it. Times of grants are 0 (has ended), far away, or None."""
    held = [grant for grant in actor.grants if grant.until_us != 0]
    here = [(role, True) for role in actor.roles]
    here += [(grant.role, grant.dataset is None) for grant in held if grant.dataset in (None, resource)]
    if _is_forbidden(actor, permission, resource, circumstances, here):
        return False
    is_vendor = "vendor-annotator" in [*actor.roles, *(grant.role for grant in held)]
    own = permission is _P.ACCOUNT_OWN
    if is_vendor and not own and (permission is not _P.WORK_DO or ("vendor-annotator", False) not in here):
        return False
    words = WORDS[model]
    by_role = any(
        permission in words.get(role, (set(), set()))[0 if everywhere else 1] for role, everywhere in here
    )
    return by_role or (own and actor.id.startswith("person:"))


def _is_forbidden(
    actor: Actor,
    permission: Permission,
    resource: str,
    circumstances: Circumstances,
    here: list[tuple[str, bool]],
) -> bool:
    own = permission is _P.ACCOUNT_OWN
    ceiling = actor.ceiling
    if ceiling is not None:
        below = ceiling.datasets is None or resource in ceiling.datasets or own
        if permission not in ceiling.permissions or not below or circumstances.changes_account:
            return True
    if permission in _GOVERN:
        if actor.kind == "service" or (circumstances.governing and ("owner", True) not in here):
            return True
        if permission is _P.GRANT_MANAGE and circumstances.about == actor.id:
            return True
    return False
