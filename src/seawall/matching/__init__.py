"""Is this picture known? The exact index over a bank, the look-up of a fingerprint, and of a picture in all its views.

It holds 256-bit fingerprints and numbers, and looks at the lumas of an upload while it is asked about it. It never
decides what a number stands for, never keeps a picture, never talks to anyone, and writes nothing but the file it is
asked to save.
"""

from seawall.matching.index import HashIndex, Matches
from seawall.matching.looks import Looks, Sighting, Transform, effort_for
from seawall.matching.lookup import ORIGINAL_ONLY, VIEWS, Found, look_up
from seawall.matching.saved import index_identity
from seawall.matching.segment import DamagedIndex
from seawall.matching.views import Effort

__all__ = [
    "ORIGINAL_ONLY",
    "VIEWS",
    "DamagedIndex",
    "Effort",
    "Found",
    "HashIndex",
    "Looks",
    "Matches",
    "Sighting",
    "Transform",
    "effort_for",
    "index_identity",
    "look_up",
]
