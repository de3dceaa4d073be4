"""A FastAPI service of somebody else's: it queues work for the desk, and stands before the venue.

environment: VENUE_URL, and what desk.py reads
"""
import os

import fastapi
import httpx
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

from . import desk

app = fastapi.FastAPI()
venue = httpx.AsyncClient(base_url=os.environ["VENUE_URL"], timeout=20)


@app.post("/ask/{name}")
def ask(name: str) -> dict:
    return desk.account.delay(name).get(timeout=30)


@app.api_route("/{path:path}", methods=["GET", "POST", "PATCH", "DELETE"])
async def forward(path: str, request: fastapi.Request) -> fastapi.Response:
    kept = {k: v for k, v in request.headers.items() if k.startswith("apca-") or k == "content-type"}
    reply = await venue.request(request.method, "/" + path, params=request.query_params, headers=kept,
                                content=await request.body())
    return fastapi.Response(reply.content, reply.status_code, media_type=reply.headers.get("content-type"))


FastAPIInstrumentor.instrument_app(app, excluded_urls="docs", exclude_spans=["receive", "send"])
