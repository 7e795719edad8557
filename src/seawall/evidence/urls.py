"""What the locker asks, under /case/api/."""

from __future__ import annotations

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from seawall.cases.endpoint import endpoint
from seawall.evidence import api


class _Id(StringConverter):
    """32 hex digits."""

    regex = "[0-9a-f]{32}"


register_converter(_Id, "blob")

urlpatterns = [
    path("manifest", endpoint(GET=api.manifest, PUT=api.write)),
    path("log", endpoint(GET=api.log)),
    path("stamps", endpoint(GET=api.stamps)),
    path("files", endpoint(POST=api.start)),
    path("files/<blob:id_>", endpoint(GET=api.file, PUT=api.part, DELETE=api.cancel)),
    path("files/<blob:id_>/received", endpoint(GET=api.received)),
    path("files/<blob:id_>/done", endpoint(POST=api.done)),
    path("erase", endpoint(POST=api.erase)),
]
