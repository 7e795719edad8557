"""A person's case, known by a number that only they have, and sealed by words that only they know.

The server keeps public keys and sealed bytes: it can lose, copy or hand over its database and give nothing away. The
manifest, the log and what is shared lie wrapped once more by a key of the case's own, kept outside the database, so
that destroying one key ends the case in every backup too. It never learns the number or the words, never opens
anything, stores no name, no address and no time finer than a day, and tells nobody whether a case exists.

* `envelope`   the signed bytes around a sealed manifest, parsed strictly
* `keys`       the store of wrap keys;  `session` nonces, proofs and who is signed in
* `endpoint`   how a request of the case's pages is read and refused, here and in `evidence`
* `operations` open, replace the manifest, share, erase, end what is unused
* `roster`     the helpline's signed list of who a case may be shared with

docs/spec/sealing.md says the formats.
"""
