"""Commands for whoever works on Seawall."""
