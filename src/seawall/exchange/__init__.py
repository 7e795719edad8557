"""The bank: takes fingerprints in, feeds partners and holds their keys, collects what they did.

It knows fingerprints and no people. It stores no name, no case, no address and no time finer than an hour; a closed
hour keeps no trace of what arrived together (`operations.closing`). It never takes a picture, and it never answers
whether one is registered: partners follow a feed, and a person sees what became of the entries they hold tokens of.

* `wire`       the text a page sends, parsed strictly
* `operations` submit, withdraw, acknowledge, take feedback, partners and their keys, the hourly closing
* `queries`    a receipt's status, a partner's feed;  `stopncii` the pages of FetchHashes
* `api`        /api/, our own feed;  `v1` the StopNCII protocol
"""
