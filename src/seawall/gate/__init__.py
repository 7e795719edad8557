"""The platform's side: follow the exchange's feed, answer "may this be shared?", report what was stopped.

It keeps fingerprints, and numbers that stand for them. It never keeps a picture, a name or an address, never
writes one to a log, never loads Django, and never drops a protection because the exchange is out of reach.

bank      its copy of the bank, in SQLite         feed      the exchange's HTTP, as this side sees it
follower  feed -> copy -> index                   reporter  outbox -> exchange
check     what an upload is: free or a match      intake    reading an upload within a set memory
api       HTTP                                    server    the one process
"""
