"""/api/ against its own description: whatever is sent, the answer is one that the description names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from seawall.exchange.api import api
from seawall.exchange.tests.conftest import send, token

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

DESCRIPTION = schemathesis.openapi.from_dict(dict(api.get_openapi_schema(path_prefix="/api/")))


def _is_token(made_up: Any) -> bool:
    return isinstance(made_up, str) and re.fullmatch("[0-9a-f]{32}", made_up) is not None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("key", ["api", "fetch"])
@DESCRIPTION.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_its_openapi_tells_the_truth(
    case: schemathesis.Case[Any], live_server: LiveServer, meadow: dict[str, str], key: str
) -> None:
    send(1)
    if key == "api" and isinstance(case.body, dict) and _is_token(case.body.get("token")):
        case.body["token"] = token(1).hex()  # a made-up one is never known
    answer = case.call(base_url=live_server.url, headers={"Authorization": f"Bearer {meadow[key]}"})
    assert answer.status_code < 500
    if answer.status_code >= 400:
        assert len(answer.json()["message"]) > 5
    # No description can say which cursor is ours: a made-up one may be refused. And all that is wrong with a GET may be
    # that its key was left out, which we send, or a word of the query that nobody reads.
    allowed: list[schemathesis.CheckFunction] = [positive_data_acceptance]
    if case.method == "GET":
        allowed.append(negative_data_rejection)
    case.validate_response(answer, excluded_checks=allowed)
