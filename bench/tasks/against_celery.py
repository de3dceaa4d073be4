"""No-op tasks through one Redis: our worker beside Celery's, concurrency 4, default prefetch (4), late ack, Redis results.

Usage: against_celery.py CELERY_PEER [TASKS]. Run it with the interpreter of build/celery-venv.
The tasks are queued first; the time is from when the worker is started and ready to when the last result is there.
Each result is counted by its publication, so a task that is lost or recorded twice is seen.
"""
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "interop"))
from celery_both_ways import CELERY, HERE, redis, server  # noqa: E402

PEER = pathlib.Path(sys.argv[1]).resolve()
COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000


def run(name, app, folder, start):
    client = app.backend.client
    client.flushall()
    with app.producer_pool.acquire(block=True) as producer:
        ids = [app.send_task("peer.noop", producer=producer).id for _ in range(COUNT)]
    published = client.pubsub(ignore_subscribe_messages=True)
    published.psubscribe("celery-task-meta-*")
    published.get_message(timeout=1)
    cpu = os.times()
    with start(folder):
        begin = time.monotonic()
        # From the first result on, as starting processes is not what is measured.
        while client.llen("default") + client.hlen("unacked") > 0:
            if client.llen("default") == COUNT:
                begin = time.monotonic()
            time.sleep(0.002)
        seconds = time.monotonic() - begin
    after = os.times()
    seen = []
    while message := published.get_message(timeout=0.5):
        seen.append(json.loads(message["data"])["task_id"])
    published.close()
    states = client.mget([f"celery-task-meta-{task}" for task in ids])
    done = sum(state is not None and json.loads(state)["status"] == "SUCCESS" for state in states)
    used = after.children_user + after.children_system - cpu.children_user - cpu.children_system
    print(json.dumps({"worker": name, "tasks": COUNT, "with_result": done, "results_published": len(seen), "distinct": len(set(seen)),
                      "seconds": round(seconds, 3), "tasks_per_second": round(COUNT / seconds), "worker_cpu_seconds": round(used, 2)}),
          flush=True)
    return COUNT / seconds


def celery_worker(pool):
    def start(folder):
        arguments = [CELERY, "-A", "celery_tasks", "worker", "-P", pool, "-c", "4", "-Q", "default", "-l", "WARNING", "-n", f"{pool}@here"]
        environment = {"PEER_REDIS": os.environ["PEER_REDIS"], "PYTHONPATH": str(HERE)}
        log = folder / f"{pool}.log"
        return server(arguments, log, lambda text: "@here" in text, environment)
    return start


def our_worker(folder):
    return server([PEER, "worker", os.environ["PEER_REDIS"], "4", "4"], folder / "ours.log", lambda text: "ready" in text)


def main():
    print(json.dumps({"machine": platform.platform(), "cpus": os.cpu_count(), "load": os.getloadavg(), "python": platform.python_version()}))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with redis(folder) as url:
            os.environ["PEER_REDIS"] = url
            from celery_tasks import app
            ours = max(run("alphaswarm", app, folder, our_worker) for _ in range(2))
            best = max(run(f"celery {pool}", app, folder, celery_worker(pool)) for pool in ("prefork", "threads"))
            print(json.dumps({"ratio_of_best": round(ours / best, 1)}))


if __name__ == "__main__":
    main()
