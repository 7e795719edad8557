"""Facts about the world: who can help, what the law says, how to reach each platform, when the helpline is open.

Each fact carries its source, the day somebody last looked, and whether it is verified; an operator's edit lies over it.
Knows no page and no person. Stores nothing about anyone who asks for help.
"""
