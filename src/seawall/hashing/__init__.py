"""Pixels to fingerprint, and the distance between two fingerprints.

Takes a picture as pixels, a file or bytes, or a video file; gives PDQ (of a video one a second), SHA-256 and MD5, and
PDQ of any part of a picture. `docs/spec/fingerprint.md`, `windows.md` and `video.md` say exactly what is computed.
Never opens a connection, never writes to disk, never keeps a picture, never knows a person; no Django.
"""

from seawall.hashing.fingerprints import Fingerprint, fingerprint, is_video_file, look
from seawall.hashing.limits import MAX_PIXELS
from seawall.hashing.perceptual import MATCH_DISTANCE, USABLE_QUALITY, Pdq, distance, pdq
from seawall.hashing.pictures import MAX_FILE_BYTES, UnreadableImage
from seawall.hashing.planes import Plane
from seawall.hashing.videos import Frame, UnreadableVideo

__all__ = [
    "MATCH_DISTANCE",
    "MAX_FILE_BYTES",
    "MAX_PIXELS",
    "USABLE_QUALITY",
    "Fingerprint",
    "Frame",
    "Pdq",
    "Plane",
    "UnreadableImage",
    "UnreadableVideo",
    "distance",
    "fingerprint",
    "is_video_file",
    "look",
    "pdq",
]
