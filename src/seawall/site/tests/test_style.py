"""What the style may hold, so that it works in both directions of writing and calms whoever needs calm."""

import re

from seawall.site.frame import STYLE

RULES = re.sub(r"/\*.*?\*/", "", STYLE, flags=re.DOTALL)
PHYSICAL = re.compile(
    r"(?<![\w-])(?:left|right|top|bottom|(?:margin|padding|border|inset)-(?:left|right|top|bottom)|"
    r"(?:min-|max-)?(?:width|height))\s*:(?!\s*\d+rem\s*\))"
)


def test_it_uses_logical_properties_only() -> None:
    declarations = re.sub(r"@media[^{]+", "", RULES)
    assert not PHYSICAL.findall(declarations)
    assert not re.findall(r"(?:text-align|float|clear)\s*:\s*(?:left|right)", declarations)
    # Four values run clockwise from the top: the second and the fourth must not differ.
    for rule in re.findall(r"(?:margin|padding|border-radius)\s*:\s*([^;}]+)", declarations):
        values = rule.split()
        assert len(values) < 4 or values[1] == values[3], rule


def test_nothing_moves() -> None:
    assert not re.search(r"transition|animation|@keyframes|scroll-behavior", RULES)


def test_it_loads_nothing() -> None:
    assert not re.search(r"url\(|@import|@font-face", RULES)


def test_light_dark_and_print_each_set_the_colours_they_need() -> None:
    light = set(re.findall(r"(--[a-z-]+):", RULES[: RULES.index("@media")])) - {"--gap", "--round"}
    dark = RULES[RULES.index("prefers-color-scheme: dark") :]
    assert set(re.findall(r"(--[a-z-]+):", dark[: dark.index("\n}")])) >= light
    assert "@media screen and (prefers-color-scheme: dark)" in RULES
