"""The proof that a program can be killed: it is done, and the results compared as bits.

May import: what its modules name.
"""
