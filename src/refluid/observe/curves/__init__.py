"""The curves of runs, as pictures and in a terminal.

May import: what its modules name.
"""
