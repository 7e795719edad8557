"""One file per noun that two rooms need. No models, no Django, no state."""
