"""Where each room is mounted. The language stands in the path; English has none."""

from __future__ import annotations

from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path

from seawall.cases.urls import pages as cases

urlpatterns = [
    path("", include("seawall.exchange.urls")),
    path("", include("seawall.directory.urls")),
    path("staff/", admin.site.urls),
    path("case/api/", include("seawall.cases.urls")),
    path("case/api/", include("seawall.evidence.urls")),
    *i18n_patterns(
        path("", include("seawall.guide.urls")),
        path("", include("seawall.site.urls")),
        path("", include("seawall.protect.urls")),
        path("case/", include((cases, "cases"))),
        prefix_default_language=False,
    ),
]
handler400 = "seawall.site.views.bad_request"
handler403 = "seawall.site.views.forbidden"
handler404 = "seawall.site.views.not_found"
handler500 = "seawall.site.views.server_error"
