"""Floor 2: the stores of one workspace: media (content-addressed files), tables (Lance) and the catalog (SQL)."""

import os

# Lance reads this on import; its info messages ("will be created") are noise
os.environ.setdefault("LANCE_LOG", "error")

from calotype.store.location import Storage
from calotype.store.store import Store, WorkspaceNotFound, create_workspace, open_workspace

__all__ = ["Storage", "Store", "WorkspaceNotFound", "create_workspace", "open_workspace"]
