"""Operators that carry weights or serve several callers, one file for each family.

They are what Paddle reaches as `core.ops`; `fluid.dygraph.nn` and `fluid.layers` both call them.
May import: torch, and the engine beside this folder.
"""
