"""Paddle's launcher of programs with several processes. May import: its own files."""
