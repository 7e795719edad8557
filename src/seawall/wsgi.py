"""What granian serves: the site and the exchange."""

from __future__ import annotations

import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "seawall.settings")
application = get_wsgi_application()

# Loaded once and slowly: the calendar of bank holidays. The first visitor should not be the one who waits.
import_module("seawall.directory.hours").bank_holidays("ENG", 2026)
