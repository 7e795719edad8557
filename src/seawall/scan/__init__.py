"""A back catalogue, looked up in an index file: every picture of a folder or bucket, on one machine or a Ray cluster.

It lists what is there, hands out the list in slices, and writes one Parquet file of answers a slice
(`docs/operating/scan.md`). It never changes or copies a picture, and of a file it cannot read it writes down why.
It knows no bank, no entry and no person: a match is a number of the index. No Django.
"""
