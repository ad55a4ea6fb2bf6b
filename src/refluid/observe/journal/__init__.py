"""The journal of a run: everything that was measured and what happened, in one file.

May import: what its modules name.
"""
