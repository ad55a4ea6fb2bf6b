"""What a run has come to, read from its directory without disturbing it.

May import: what its modules name.
"""
