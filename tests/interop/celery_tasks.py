"""The Celery side: the same small tasks as celery_peer.cpp, and how both find Redis."""
import os
import time

import celery

app = celery.Celery("peer", broker=os.environ["PEER_REDIS"], backend=os.environ["PEER_REDIS"])
app.conf.update(
    task_default_queue="default",
    task_acks_late=True,
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
    broker_transport_options={"visibility_timeout": float(os.environ.get("PEER_VISIBILITY", 3600))},
)


@app.task(name="python.echo")
def echo(value):
    return value


@app.task(name="python.note")
def note(path, text):
    """When it began, and what."""
    with open(path, "a") as file:
        file.write(f"{time.time()} {text}\n")


@app.task(name="peer.stuck")
def stuck(where):
    """Stays with the kind of worker that is named, until that one is killed; the other ends it."""
    if where == "python":
        time.sleep(3600)
    return "python"


@app.task(name="python.fail")
def fail():
    raise ValueError("broken on purpose")


@app.task(name="peer.noop")
def noop():
    return None


@app.task(name="python.flaky", bind=True, max_retries=3)
def flaky(self, times):
    if self.request.retries < times:
        raise self.retry(countdown=0.1, exc=RuntimeError("not yet"))
    return self.request.retries


@app.task(name="python.sleep")
def sleep(seconds):
    time.sleep(seconds)
    return "slept"
