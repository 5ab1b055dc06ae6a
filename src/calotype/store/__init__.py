"""Floor 2: the stores of one workspace: media (content-addressed files), tables (Lance) and the catalog (SQL)."""

import os

os.environ.setdefault(
    "LANCE_LOG", "error"
)  # read when lance is imported; "will be created" is no news to anybody

from calotype.store.location import Storage
from calotype.store.store import Store, WorkspaceNotFound, create_workspace, open_workspace

__all__ = ["Storage", "Store", "WorkspaceNotFound", "create_workspace", "open_workspace"]
