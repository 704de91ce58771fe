"""From a cache, of this form or another, to tables in SQLite."""
