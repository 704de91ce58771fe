"""Widgets: each shows what it is given, and none knows a job or a journal."""
