"""A Celery task of somebody else's: it asks our API for an account.

environment: CELERY_REDIS_URL, ALPHASWARM_API_URL
"""
import os

import celery
import httpx

from . import tracing

tracing.start()
app = celery.Celery("desk", broker=os.environ["CELERY_REDIS_URL"], backend=os.environ["CELERY_REDIS_URL"])


@app.task(name="desk.account")
def account(venue: str) -> dict:
    reply = httpx.get(f"{os.environ['ALPHASWARM_API_URL']}/brokers/{venue}/account", timeout=20)
    reply.raise_for_status()
    return reply.json()
