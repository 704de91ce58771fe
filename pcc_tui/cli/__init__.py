"""The command line: a file for each command, and nothing heavy imported before it is used."""
