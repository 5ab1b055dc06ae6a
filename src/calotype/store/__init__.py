"""Floor 2: media (content-addressed), tables (Lance), catalog (SQL), jobs and the audit chain of one workspace."""

from calotype.store.store import Store, create_workspace, open_workspace

__all__ = ["Store", "create_workspace", "open_workspace"]
