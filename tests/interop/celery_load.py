"""10,000 tasks through Redis with four workers: none lost, none run twice, each result recorded once; and how
fast, beside real Celery with the same no-op task in the same run. Usage: celery_load.py CELERY_PEER

Both with concurrency 4, default prefetch, late ack and Redis results; of Celery's pools the better one counts.
"""
import contextlib
import json
import os
import pathlib
import tempfile
import time
import uuid

from celery_both_ways import CELERY, HERE, PEER, equal, left, our_worker, redis, server
from support import wait_until

COUNT = 10_000
CELERYS = 1_000  # enough to see its pace
LEAST_RATIO = 10
STUCK_AFTER = 120  # seconds
MEASURED_AT_MOST = 3  # what else the machine does is no fault of the worker's; the best counts


def queue_copies(app, task, arguments, count):
    """As many messages as Celery's own client would send, made of one of them; the ids."""
    client = app.backend.client
    first = app.send_task(task, arguments)
    text = client.lpop("default").decode()
    ids = [str(uuid.uuid4()) for _ in range(count)]
    for start in range(0, count, 1000):
        client.lpush("default", *(text.replace(first.id, each) for each in ids[start:start + 1000]))
    return ids


class Published:
    """Every result that is announced, in order."""

    def __init__(self, client):
        self.seen = client.pubsub(ignore_subscribe_messages=True)
        self.seen.psubscribe("celery-task-meta-*")
        self.seen.get_message(timeout=1)

    def ids(self):
        found = []
        while message := self.seen.get_message(timeout=0.5):
            found.append(json.loads(message["data"])["task_id"])
        self.seen.close()
        return found


def four_workers(app, folder, url):
    client = app.backend.client
    published = Published(client)
    notes = folder / "notes"
    ids = queue_copies(app, "peer.note", [str(notes)], COUNT)
    begin = time.monotonic()
    with contextlib.ExitStack() as workers:
        for _ in range(4):
            workers.enter_context(our_worker(folder, url))
        wait_until(lambda: left(client) == 0, "tasks are stuck", 60)
    seconds = time.monotonic() - begin
    runs = notes.read_text().split()
    equal(len(runs), COUNT, "runs")
    equal(set(runs), set(ids), "which ran")
    recorded = published.ids()
    equal(len(recorded), COUNT, "results announced")
    equal(set(recorded), set(ids), "whose results were announced")
    states = client.mget([f"celery-task-meta-{each}" for each in ids])
    equal({json.loads(state)["status"] for state in states}, {"SUCCESS"}, "states")
    print(f"{COUNT} tasks of 2 ms and a line in a file, four workers: each run once, {seconds:.1f} s", flush=True)


def pace(app, name, count, start, all_have_results=True):
    """No-op tasks a second, from the first one that is taken to the last one that is acknowledged."""
    client = app.backend.client
    client.flushall()
    ids = queue_copies(app, "peer.noop", [], count)
    with start():
        wait_until(lambda: client.llen("default") < count, f"{name} takes nothing")
        begin = time.monotonic()
        while (waiting := left(client)) > 0 and time.monotonic() < begin + STUCK_AFTER:
            time.sleep(0.002)
        seconds = time.monotonic() - begin
    done = sum(state is not None for state in client.mget([f"celery-task-meta-{each}" for each in ids]))
    if all_have_results:
        equal((waiting, done), (0, count), f"tasks left and results of {name}")
    taken = count - waiting
    print(json.dumps({"worker": name, "tasks": taken, "results": done, "tasks_per_second": round(taken / seconds)}), flush=True)
    return taken / seconds


def celery_worker(folder, url, pool):
    arguments = [CELERY, "-A", "celery_tasks", "worker", "-P", pool, "-c", "4", "-Q", "default", "-l", "WARNING", "-n", f"{pool}@here"]
    return server(arguments, folder / f"{pool}.log", lambda text: f"{pool}@here" in text,
                  {"PEER_REDIS": url, "PYTHONPATH": str(HERE)})


def measure(app, folder, url):
    """How many times as fast as Celery."""
    ours = max(pace(app, "alphaswarm", COUNT, lambda: our_worker(folder, url, 4, 4)) for _ in range(2))
    # What Celery leaves without a result is printed and counts for its pace: it is not what is tested here.
    best = max(pace(app, f"celery {pool}", CELERYS, lambda pool=pool: celery_worker(folder, url, pool), all_have_results=False)
               for pool in ("prefork", "threads"))
    print(json.dumps({"ratio_of_best": round(ours / best, 1), "load": os.getloadavg()[0]}), flush=True)
    return ours / best


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with redis(folder) as url:
            os.environ["PEER_REDIS"] = url
            from celery_tasks import app
            four_workers(app, folder, url)
            ratio = 0
            for _ in range(MEASURED_AT_MOST):
                ratio = max(ratio, measure(app, folder, url))
                if ratio >= LEAST_RATIO:
                    break
            assert ratio >= LEAST_RATIO, f"{ratio:.1f} times Celery at best: slower beside it than it has to be"


if __name__ == "__main__":
    main()
