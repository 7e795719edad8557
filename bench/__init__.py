"""Seawall against its peers, side by side in one run. `seawall bench` prints what these measure."""
