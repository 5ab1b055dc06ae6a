"""The handle of access: who may do something and why, what roles allow, and the model of the organisation."""

from __future__ import annotations

from collections.abc import Sequence

from calotype.api.context import Context
from calotype.contracts.classification import Classification
from calotype.govern import service as governing
from calotype.govern.model import Changes, Matrix, Organisation
from calotype.people import access
from calotype.people.access import Explanation
from calotype.people.oversight import four_eyes as second
from calotype.people.oversight import review
from calotype.people.oversight.model import FourEyes, ReviewRow


class Access:
    """Who may do what in a workspace, and by which rule."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def who(self, action: str, resource: str) -> list[access.Access]:
        """Everyone with an account who may do something, as `who("dataset.export", "dataset:streets")`.

        Raises: NotPermitted, ActionUnknown, ResourceInvalid, DatasetNotFound, TeamNotFound.
        """
        return access.who_can(self._context.actor, action, resource, store=self._context.store)

    def why(self, who: str, action: str, resource: str) -> Explanation:
        """Whether somebody may do something, by which rule, and which grant would change a no.

        Raises: NotPermitted, PersonNotFound, ActionUnknown, ResourceInvalid, DatasetNotFound, TeamNotFound.
        """
        return access.why(self._context.actor, who, action, resource, store=self._context.store)

    def review(self, *, with_kept: bool = False) -> list[ReviewRow]:
        """What somebody should look at: grants and tokens without use for 90 days, tokens that end within 14 days,
        people without a role, disabled people with one, the last owner; `with_kept` adds what somebody kept lately.

        Raises: NotPermitted.
        """
        return review.access_review(self._context.actor, store=self._context.store, with_kept=with_kept)

    def matrix(self, model: str = "", *, diff: str = "") -> Matrix:
        """What each role allows under a model (default: the one in force), or with `diff` what differs under another.

        Raises: ModelUnknown.
        """
        return governing.access_matrix(self._context.actor, store=self._context.store, model=model, diff=diff)

    def organisation(self) -> Organisation:
        """The model of the organisation: central, decentral or hybrid."""
        return governing.organisation(self._context.actor, store=self._context.store)

    def set_organisation(self, model: str) -> Organisation:
        """Set the model of the organisation; only owners can. Raises: NotPermitted, ModelUnknown."""
        return governing.set_organisation(self._context.actor, model, store=self._context.store)

    def classification(self, dataset: str) -> Classification:
        """What kind of data a dataset holds: class, licence, purposes, hold. Raises: NotPermitted, DatasetNotFound."""
        return governing.classification(self._context.actor, dataset, store=self._context.store)

    def classify(
        self,
        dataset: str,
        *,
        data_class: str | None = None,
        licence: str | None = None,
        purposes: Sequence[str] | None = None,
        hold: str | None = None,
    ) -> Classification:
        """Say what kind of data a dataset holds; None leaves a part as it is.

        Args:
            data_class: public, internal, confidential or personal; a dataset begins as internal.
            purposes: What releases may be for; empty allows any purpose.
            hold: Why nothing of it may be deleted, such as a legal case; empty releases the hold.
        Raises: NotPermitted, DatasetNotFound, DatasetClassUnknown, ClassificationInvalid.
        """
        changes = Changes(data_class, licence, None if purposes is None else tuple(purposes), hold)
        return governing.classify(self._context.actor, dataset, changes, store=self._context.store)

    def four_eyes(self) -> FourEyes:
        """Whether a second owner has to confirm what gives or takes a governing role."""
        return second.four_eyes(self._context.actor, store=self._context.store)

    def set_four_eyes(self, on: bool) -> FourEyes:
        """Ask for a second owner, or stop, which two owners decide; only owners can. Raises: NotPermitted."""
        return second.set_four_eyes(self._context.actor, on, store=self._context.store)
