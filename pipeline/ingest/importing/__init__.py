"""Import of a cache, of this form or another, into tables of SQLite."""
