"""The catalog: SQL schema, engines, migrations, transactions and the audit chain."""
