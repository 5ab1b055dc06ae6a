"""The tables that rooms keep in the catalog, as SQLAlchemy sees them; `store.catalog.schema` puts them together."""
