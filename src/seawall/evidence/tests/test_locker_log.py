"""The log is checked in the browser: what the server changes in it shows."""

from __future__ import annotations

import hashlib
import re
import zipfile
from typing import TYPE_CHECKING

import pyrage
import pytest
from playwright.sync_api import expect

from .conftest import seawall
from .test_locker_copies import take_out
from .walk import add, back, locker, look_at, photo, says, screen, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

    from .conftest import Site
    from .walk import Secret

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("locker")]

# With the server's own keys: one bit of row 2 is another.
REWRITE = """
import sys
from seawall.cases import keys, queries
from seawall.evidence import queries as locker
from seawall.evidence.models import LogRow
case = queries.find(bytes.fromhex(sys.argv[1]))
row = LogRow.objects.get(case=case, seq=2)
key, about = queries.wrap_key(case), locker.about_row(case, 2)
plain = bytearray(keys.unwrap(key, bytes(row.wrapped), about))
plain[-70] ^= 1
row.wrapped = keys.wrap(key, bytes(plain), about)
row.save()
"""
CUT = """
import sys
from seawall.cases import queries
from seawall.evidence.models import LogRow
case = queries.find(bytes.fromhex(sys.argv[1]))
assert LogRow.objects.filter(case=case, seq__gte=3).delete()[0] == 1
"""


# What the worker does every 20 seconds; it may be quicker.
STAMP = """
from datetime import UTC, datetime
from seawall.evidence import stamping
stamping.stamp_due(now=datetime.now(UTC))
"""


def name_of(secret: Secret) -> str:
    """What the server knows the case by."""
    return hashlib.sha256(b"seawall/v1/case" + secret.number.replace("-", "").encode()).hexdigest()[:32]


@pytest.fixture
def busy(visitor: Callable[..., Page], site: Site, tmp_path: Path) -> tuple[Page, Secret]:
    """A case with three lines in its log, and nothing open."""
    page = visitor()
    secret = locker(page, site.url)
    add(page, write(tmp_path, "threat.png", photo("coffee")), write(tmp_path, "chat.txt", b"pay"))
    look_at(page, "chat.txt").get_by_role("button", name="Show it").click()
    expect(screen(page, "file").locator("pre")).to_have_text("pay")
    back(page)
    page.get_by_role("button", name="What was done here").click()
    expect(says(page, "log")).to_have_text("The list is whole. Steps checked: 3.")
    expect(screen(page, "log").locator("li")).to_have_count(3)
    expect(screen(page, "log").locator("li").last).to_contain_text("chat.txt was looked at")
    back(page)
    return page, secret


def test_a_log_rewritten_in_the_database_shows(
    busy: tuple[Page, Secret], visitor: Callable[..., Page], site: Site
) -> None:
    _, secret = busy
    site.run(REWRITE, name_of(secret))
    page = visitor()
    locker(page, site.url, secret)
    page.get_by_role("button", name="What was done here").click()
    expect(says(page, "log")).to_contain_text("Step 2 of this list is not what your device wrote.")
    expect(screen(page, "log").locator("li")).to_have_count(1)


def test_a_log_cut_short_in_the_database_shows(busy: tuple[Page, Secret], site: Site) -> None:
    page, secret = busy
    site.run(CUT, name_of(secret))
    page.get_by_role("button", name="What was done here").click()
    expect(says(page, "log")).to_contain_text("The end of this list is missing")


def test_a_time_stamp_shows_and_goes_along_in_a_copy(busy: tuple[Page, Secret], site: Site, tmp_path: Path) -> None:
    page, secret = busy
    site.run(STAMP)
    page.get_by_role("button", name="What was done here").click()
    stamp = screen(page, "log").locator("[data-part=stamps] li")
    expect(stamp).to_contain_text("The first 2 steps existed unchanged since")
    expect(stamp).to_contain_text(re.compile(r"says 127\.0\.0\.1:\d+\.$"))
    back(page)
    file = look_at(page, "threat.png")
    expect(file.locator("[data-part=stamp]")).to_contain_text("It existed unchanged since")
    back(page)
    opened = pyrage.passphrase.decrypt(take_out(page, secret), "-".join(secret.words))
    bundle = write(tmp_path, "copy.zip", opened)
    told = seawall("evidence", "verify", bundle, "--authority", site.authority)
    assert told.returncode == 0, told.stderr
    assert "remains" not in told.stdout
    assert len([name for name in zipfile.ZipFile(bundle).namelist() if name.startswith("stamps/")]) == 1
