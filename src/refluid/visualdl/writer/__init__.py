"""Writing records; `visualdl.writer.writer` is where programs of VisualDL 2 find `LogWriter`.

May import: nothing.
"""
