"""The locker: sealed files, the log of what was done to them, and time-stamps. It cannot open any of them."""
