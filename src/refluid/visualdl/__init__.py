"""VisualDL's `LogWriter`, for programs that run under refluid.

`from visualdl import LogWriter` gives the one here, whether or not VisualDL is installed. It writes
the files that VisualDL reads, and needs neither VisualDL nor protocol buffers.

writer.writer  the class                        wire      records as bytes
record_file    a file that a kill cannot spoil  content   what a record holds
argument       numbers and arrays               picture   arrays as pictures
viewer         VisualDL's own viewer, for `refluid board --visualdl`

May import: the modules above.
"""

from __future__ import annotations

from refluid.visualdl.writer.writer import LogWriter

__all__ = ["LogWriter", "__version__"]

# the version of VisualDL whose methods and files these are
__version__ = "2.5.3"
