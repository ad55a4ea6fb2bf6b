"""What the state of a run is: how it is captured, packed, compared and put back.

`tree` turns nested values into JSON and plain tensors, and back, as bits. `holder` takes values out
of objects and puts them back; `generators` and `environment` do so for the process. Nothing here
knows files. Importing the package loads nothing: import the module that is meant.
May import: torch, numpy, refluid.env, refluid.errors.
"""
