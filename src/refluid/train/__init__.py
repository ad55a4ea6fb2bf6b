"""The ready-made program behind `refluid train`: digit recognition with everything on.

Nothing is loaded here, so that the command line can read `train.config` without loading torch.
May import: nothing.
"""
