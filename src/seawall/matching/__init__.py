"""Is this fingerprint known? The exact index over a bank, and the look-up of one picture in all its views.

It holds 256-bit fingerprints and numbers. It never decides what a number stands for, never reads a picture,
never talks to anyone, and writes nothing but the file it is asked to save.
"""

from seawall.matching.index import HashIndex, Matches
from seawall.matching.lookup import ORIGINAL_ONLY, VIEWS, Found, look_up
from seawall.matching.saved import index_identity
from seawall.matching.segment import DamagedIndex

__all__ = ["ORIGINAL_ONLY", "VIEWS", "DamagedIndex", "Found", "HashIndex", "Matches", "index_identity", "look_up"]
