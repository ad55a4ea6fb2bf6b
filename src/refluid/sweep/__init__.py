"""The search behind `refluid sweep`: values of a command's options, judged by validation.

Nothing is loaded here, so that the command line need not wait for it.
May import: nothing.
"""
