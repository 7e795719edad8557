"""Across rooms: architecture, permissions, privacy, journeys in real browsers, docs."""
