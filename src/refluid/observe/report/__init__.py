"""A run as one HTML page that needs nothing else: `page.render`.

May import: errors, observe.
"""
