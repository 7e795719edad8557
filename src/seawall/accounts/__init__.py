"""Practitioners: the people of a helpline who may sign in. Never the person who asks for help: she has no account."""
