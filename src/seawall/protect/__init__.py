"""The page that makes fingerprints on the person's own device, and the pages around it.

What it does: asks the age first; serves one pinned page whose worker reads the picture and has no network
(docs/spec/protect-page.md); takes the fingerprint text the person has read; shows what became of a receipt and takes
fingerprints back.

What it never does: receive a picture, set a cookie, put a token or a fingerprint into an address, or know who sent
what together.
"""
