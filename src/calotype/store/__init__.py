"""Floor 2: media (content-addressed), tables (Lance), catalog (SQL), jobs and the audit chain of one workspace."""

import os

os.environ.setdefault(
    "LANCE_LOG", "error"
)  # read when lance is imported; "will be created" is no news to anybody

from calotype.store.location import Storage
from calotype.store.store import Store, WorkspaceNotFound, create_workspace, open_workspace

__all__ = ["Storage", "Store", "WorkspaceNotFound", "create_workspace", "open_workspace"]
