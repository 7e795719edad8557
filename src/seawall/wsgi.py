"""What granian serves: the site and the exchange."""

from __future__ import annotations

import gc
import os
from datetime import UTC, datetime
from importlib import import_module

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "seawall.settings")
application = get_wsgi_application()

# Loaded once and slowly: every room's views, and the calendar of bank holidays. The first visitor should not wait.
import_module("seawall.urls")
import_module("seawall.directory.hours").bank_holidays("ENG", datetime.now(UTC).year)

# What was loaded stays: a full collection over all of it would hold a request up by 40 ms now and then. And a request
# makes few cycles: looking for them each 700 objects, as Python does, takes a quarter of a large page's time.
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 20, 20)
