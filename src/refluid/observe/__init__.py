"""Looking at a run: curves as a picture.

May import: errors.
"""
