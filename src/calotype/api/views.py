"""Saved views of a dataset: the methods of the handle, except `view`, which returns one."""

from __future__ import annotations

from collections.abc import Sequence

from calotype.api.context import DatasetHandle
from calotype.browse.views import service as browse
from calotype.browse.views.model import SavedView, ViewSpec
from calotype.datasets.model import DEFAULT_LABEL_SET


class ViewMethods(DatasetHandle):
    """Queries with their order and display, kept under a name for everybody who reads the dataset."""

    def save_view(
        self,
        name: str,
        where: str = "",
        *,
        sort: str = "name",
        label_set: str = DEFAULT_LABEL_SET,
        ref: str = "",
        within: str = "",
        size_px: int | None = None,
        hidden: Sequence[int] = (),
        show: str = "samples",
        of_class: str = "",
        colour: str = "",
        beside: str = "",
        against: str = "",
        overwrite: bool = False,
    ) -> SavedView:
        """Save a query with its order and display under a name.

        Args:
            sort: "name", "-name", "newest", "annotations" or "-annotations".
            ref: A branch, tag or commit; the working state of main by default.
            within: Only samples inside a polygon on an embedding map, `MODEL:x,y;x,y;x,y`.
            size_px: Longer side of the images in the app's grid.
            hidden: Ids of the classes that the app does not draw.
            show: "samples", or "objects" for each annotation by itself.
            of_class: The class of the objects; all by default.
            colour: What the app colours annotations by: "author", "score", "set" or "finding"; their class by default.
            beside: A label set to show beside the first.
            against: A branch, tag or commit to show beside the ref.
            overwrite: Replace the view that has this name.
        Raises: ViewExists, ViewNameInvalid, ViewInvalid, ViewsFull, SortUnknown, QueryInvalid, QueryFieldUnknown.
        """
        spec = ViewSpec(
            where,
            sort,
            label_set,
            ref,
            within,
            size_px,
            tuple(hidden),
            show,
            of_class,
            colour,
            beside,
            against,
        )
        return self._call(browse.save_view, name, spec, overwrite=overwrite)

    def saved_views(self) -> list[SavedView]:
        """The saved views, ordered by name."""
        return self._call(browse.saved_views)

    def rename_view(self, name: str, new: str, *, overwrite: bool = False) -> SavedView:
        """Give a saved view another name. Raises: ViewNotFound, ViewExists, ViewNameInvalid."""
        return self._call(browse.rename_view, name, new, overwrite=overwrite)

    def delete_view(self, name: str) -> SavedView:
        """Delete a saved view; returns what it was. Raises: ViewNotFound."""
        return self._call(browse.delete_view, name)
