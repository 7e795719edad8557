"""A sample platform: one page where people post pictures, and every upload asks the gate first."""

from __future__ import annotations

import base64
import os
import sys
from html import escape
from typing import TYPE_CHECKING

import httpx
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.responses import HTMLResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Example platform</title>
<style>body{{font:112.5%/1.5 system-ui;max-width:34rem;margin:2rem auto;padding:0 1rem;color:#16242e}}
img{{max-width:100%;border-radius:.5rem}}button,input{{font:inherit;margin:.4rem 0}}
.said{{padding:1rem;border-radius:.5rem;background:#e6f1f3}}.stopped{{background:#fbe9e7}}</style>
<h1>Example platform</h1><p>Stands for Facebook, Messenger or Instagram. Every upload asks the gate first.</p>
{said}
<form method="post" enctype="multipart/form-data"><label>Post a picture<br><input type="file" name="picture" required>
</label><br><button>Post</button></form></html>"""


async def home(_request: Request) -> HTMLResponse:
    """The empty form."""
    return HTMLResponse(PAGE.format(said=""))


async def post(request: Request) -> HTMLResponse:
    """Ask the gate; post or refuse."""
    form = await request.form()
    picture = form.get("picture")
    if not isinstance(picture, UploadFile):
        return HTMLResponse(PAGE.format(said="<p class=said>Choose a picture first.</p>"), status_code=422)
    content = await picture.read()
    async with httpx.AsyncClient(timeout=30) as client:
        answer = await client.post(
            os.environ["DEMO_GATE"] + "/check",
            files={"file": content},
            headers={"Authorization": f"Bearer {os.environ['DEMO_GATE_KEY']}"},
        )
    verdict = answer.json()
    if not answer.is_success:
        said = f"<p class=said>{escape(verdict['message'])}</p>"
    elif verdict["verdict"] == "match":
        first = verdict["matches"][0]
        said = (
            "<p class='said stopped'><b>Not posted.</b> Somebody asked that this picture is not shared. "
            f"({first['distance']} of 256 bits differ, view: {escape(first['view'])}, {verdict['took_ms']} ms)</p>"
        )
    else:
        said = (
            f"<p class=said><b>Posted.</b> ({verdict['took_ms']} ms)</p>"
            f"<img alt='The picture you posted' src='data:image;base64,{base64.b64encode(content).decode()}'>"
        )
    return HTMLResponse(PAGE.format(said=said), status_code=answer.status_code)


app = Starlette(routes=[Route("/", home), Route("/", post, methods=["POST"])])

if __name__ == "__main__":
    Granian(
        "seawall.cli.demo.platform:app", port=int(sys.argv[1]), interface=Interfaces.ASGI, log_level=LogLevels.warning
    ).serve()
