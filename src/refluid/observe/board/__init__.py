"""TensorBoard on the journals of runs: nothing is copied, and what a journal has is what is shown.

TensorBoard asks a data provider for what it shows; `provider` answers from the journals. A journal
that was cut back when its run went on is right at once, and there are no files that could lag
behind it.
May import: nothing; its modules need TensorBoard, which is an extra.
"""
