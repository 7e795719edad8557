"""What to do next, in which order: the front page, the triage, the six steps and what follows them.

Stores nothing about anyone: it has no models, sets no cookie, and answers travel in form bodies only. It states no fact
of its own: every number, address, law and route comes from the directory.
"""
