"""A database engine: Django's SQLite, with the writers of a process in a queue (base.py)."""
