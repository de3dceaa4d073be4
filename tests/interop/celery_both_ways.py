"""Real Celery clients and workers with ours, over a real Redis. Usage: celery_both_ways.py CELERY_PEER"""
import contextlib
import datetime
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from support import free_ports, server, wait_until

PEER = pathlib.Path(sys.argv[1]).resolve()
HERE = pathlib.Path(__file__).resolve().parent
CELERY = pathlib.Path(sys.executable).parent / "celery"


@contextlib.contextmanager
def redis(folder: pathlib.Path):
    port = free_ports(1)[0]
    arguments = ["redis-server", "--port", port, "--save", "", "--bind", "127.0.0.1"]
    with server(arguments, folder / "redis.log", lambda log: "Ready to accept connections" in log):
        yield f"redis://127.0.0.1:{port}/0"


def our_worker(folder, url, *numbers):
    return server([PEER, "worker", url, *numbers], folder / f"worker-{time.monotonic_ns()}.log", lambda log: "ready" in log)


def celery_worker(folder, url):
    arguments = [CELERY, "-A", "celery_tasks", "worker", "-P", "threads", "-c", "2", "-Q", "python", "-l", "INFO", "-n", "python@here"]
    environment = {"PEER_REDIS": url, "PYTHONPATH": str(HERE)}
    return server(arguments, folder / "celery.log", lambda log: "ready." in log, environment)


def send(url, queue, task, *arguments):
    done = subprocess.run([PEER, "send", url, queue, task, json.dumps(arguments)], capture_output=True, text=True, timeout=40)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def equal(got, wanted, what):
    assert got == wanted, f"{what}: {got!r}, wanted {wanted!r}"


def left(client, *queues):
    """Messages that wait or that a worker has, at one moment: a restore moves them from the one to the other."""
    with client.pipeline(transaction=True) as at_once:
        for queue in queues or ("default",):
            at_once.llen(queue)
        return sum(at_once.hlen("unacked").execute())


def python_to_us(app, folder, url):
    with our_worker(folder, url):
        equal(app.send_task("peer.echo", [{"a": [1, "ü"]}]).get(timeout=20), {"a": [1, "ü"]}, "result")
        equal(app.send_task("peer.echo", kwargs={"value": 7}, priority=4, queue="other").get(timeout=20), 7, "keyword, priority")
        failed = app.send_task("peer.fail")
        with contextlib.suppress(Exception):
            failed.get(timeout=20)
        equal((failed.state, str(failed.result)), ("FAILURE", "broken on purpose"), "failure")
        unknown = app.send_task("peer.unknown")
        with contextlib.suppress(Exception):
            unknown.get(timeout=20)
        equal((unknown.state, type(unknown.result).__name__), ("FAILURE", "NotRegistered"), "unknown task")
        begin = time.time()
        equal(app.send_task("peer.echo", [1], countdown=1.0).get(timeout=20), 1, "eta")
        assert time.time() - begin >= 1.0, "ran before its time"
        expired = app.send_task("peer.echo", [1], expires=datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=9))
        wait_until(lambda: expired.state == "REVOKED", "an expired task was not revoked", 20)
        equal(app.send_task("peer.flaky", [2]).get(timeout=20), 2, "retries")
        replies = [app.send_task("peer.echo", [i], priority=i % 10) for i in range(200)]
        equal([reply.get(timeout=20) for reply in replies], list(range(200)), "many")


def ignored_results(app, folder, url):
    """`ignore_result` true: nothing is stored. Null, as send_task without it sends: what the task says."""
    stored = app.backend.client
    with our_worker(folder, url):
        cases = {
            "the message says so": (app.send_task("peer.echo", [1], ignore_result=True), False),
            "also of a failure": (app.send_task("peer.fail", ignore_result=True), False),
            "also between tries": (app.send_task("peer.flaky", [1], ignore_result=True), False),
            "the task says so": (app.send_task("peer.silent", [1]), False),
            "the message overrules the task": (app.send_task("peer.silent", [1], ignore_result=False), True),
            "nobody says so": (app.send_task("peer.echo", [1]), True),
        }
        wait_until(lambda: left(stored) == 0, "not all were run", 20)
        for what, (reply, kept) in cases.items():
            equal(bool(stored.exists(f"celery-task-meta-{reply.id}")), kept, what)


def us_to_python(folder, url):
    with celery_worker(folder, url):
        reply = send(url, "python", "python.echo", {"a": [1, "ü"]})
        equal((reply["status"], reply["result"]), ("SUCCESS", {"a": [1, "ü"]}), "result")
        reply = send(url, "python", "python.fail")
        equal((reply["status"], reply["exception_type"], reply["error"]), ("FAILURE", "ValueError", "broken on purpose"), "failure")
        equal(send(url, "python", "python.flaky", 2)["result"], 2, "retries")


def another_celery_worker(folder, url, *more, visibility=3600):
    """One task at a time; `more` are its options."""
    arguments = [CELERY, "-A", "celery_tasks", "worker", "-P", "threads", "-c", "1", "--prefetch-multiplier=1", "-l", "INFO", "-n", "one@here", *more]
    environment = {"PEER_REDIS": url, "PYTHONPATH": str(HERE), "PEER_VISIBILITY": str(visibility)}
    return server(arguments, folder / f"celery-{time.monotonic_ns()}.log", lambda log: "ready." in log, environment)


def ask(url, task, *arguments, **options):
    """`send` with options, to the queue of Celery's workers."""
    done = subprocess.run([PEER, "send", url, "python", task, json.dumps(arguments), json.dumps(options)], capture_output=True, text=True, timeout=40)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def what_we_ask_of_python(app, folder, url):
    """Priority, eta and expires of our messages, before a real Celery worker."""
    begun = folder / "begun"

    def later(text, **options):
        return ask(url, "python.note", str(begun), text, wait=False, **options)["id"]

    for priority in (9, 6, 0, 3):
        later(f"priority-{priority}", priority=priority)
    late = later("expired", expires=0.2)
    time.sleep(0.3)
    with another_celery_worker(folder, url, "-Q", "python"):
        # What comes later, with priority 0, would overtake them.
        wait_until(lambda: begun.exists() and len(begun.read_text().splitlines()) == 4, "they are not run", 20)
        refused = ask(url, "python.note", str(begun), "expired", expires=-9)
        equal((refused["status"], refused["exception_type"], refused["error"]), ("REVOKED", "TaskRevokedError", "expired"), "our side of an expired task")
        wait_until(lambda: app.AsyncResult(late).state == "REVOKED", "what expired in its queue is not revoked", 20)
        before = time.time()
        equal(ask(url, "python.note", str(begun), "eta", countdown=1.5)["status"], "SUCCESS", "a task with an eta")
        equal(ask(url, "python.note", str(begun), "in time", expires=60)["status"], "SUCCESS", "a task that has not expired")
    lines = [line.split(" ", 1) for line in begun.read_text().splitlines()]
    equal([text for _, text in lines], ["priority-0", "priority-3", "priority-6", "priority-9", "eta", "in time"], "what was run, in this order")
    assert float(lines[4][0]) >= before + 1.5, "ran before its time"


def lost_to_the_other_kind(app, folder, url):
    """A message that a killed worker of one kind had is run by a worker of the other kind."""
    client = app.backend.client
    with another_celery_worker(folder, url, "-Q", "default") as worker:
        taken = app.send_task("peer.stuck", ["python"])
        wait_until(lambda: client.hlen("unacked") == 1, "Celery did not take it", 20)
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait(20)
    equal((client.llen("default"), client.hlen("unacked")), (0, 1), "what a killed Celery worker leaves")
    with our_worker(folder, url, 4, 4, 1000):
        equal(taken.get(timeout=20), "ours", "restored by ours")
    with our_worker(folder, url) as worker:
        taken = app.send_task("peer.stuck", ["ours"])
        wait_until(lambda: client.hlen("unacked") == 1, "ours did not take it", 20)
        worker.kill()
        worker.wait(20)
    equal((client.llen("default"), client.hlen("unacked")), (0, 1), "what a killed worker of ours leaves")
    time.sleep(1.1)  # Celery looks as it starts, and then only every hundred seconds
    with another_celery_worker(folder, url, "-Q", "default", visibility=1):
        equal(taken.get(timeout=20), "python", "restored by Celery")
    wait_until(lambda: client.llen("default") + client.hlen("unacked") == 0, "something is left", 20)


def a_stopped_worker_gives_back(app, folder, url):
    with our_worker(folder, url, 1, 4) as worker:
        replies = [app.send_task("peer.sleep", [0.5]) for _ in range(3)]
        wait_until(lambda: app.backend.client.hlen("unacked") == 3, "the worker did not take its tasks", 20)
        worker.send_signal(signal.SIGTERM)
        worker.wait(20)
    equal(app.backend.client.hlen("unacked"), 0, "left unacknowledged by a worker that stopped in order")
    with our_worker(folder, url):
        for reply in replies:
            equal(reply.get(timeout=20), "slept", "given back")


def killed_workers_lose_nothing(app, folder, url, kills=12, count=600):
    """SIGKILL at points spread over a run; each task has one result, and Redis is empty at the end."""
    notes = folder / "notes"
    published = app.backend.client.pubsub(ignore_subscribe_messages=True)
    published.psubscribe("celery-task-meta-*")
    published.get_message(timeout=1)
    ids = [app.send_task("peer.note", [str(notes)]).id for _ in range(count)]
    for kill in range(kills):
        with our_worker(folder, url, 4, 4, 1000) as worker:
            time.sleep(0.02 + 0.013 * kill)
            worker.kill()
    with our_worker(folder, url, 4, 4, 1000):
        wait_until(lambda: left(app.backend.client) == 0, "tasks are stuck", 60)
    equal({app.AsyncResult(task).state for task in ids}, {"SUCCESS"}, "states after kills")
    recorded = []
    while message := published.get_message(timeout=0.5):
        recorded.append(json.loads(message["data"])["task_id"])
    equal(sorted(recorded), sorted(ids), "one result for each task")
    runs = notes.read_text().split()
    equal(set(runs), set(ids), "each ran")
    print(f"  {kills} kills, {count} tasks, {len(runs)} runs, {len(recorded)} results")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with redis(folder) as url:
            os.environ["PEER_REDIS"] = url
            from celery_tasks import app
            for test in (python_to_us, ignored_results, a_stopped_worker_gives_back, killed_workers_lose_nothing, what_we_ask_of_python,
                         lost_to_the_other_kind):
                begin = time.monotonic()
                test(app, folder, url)
                print(f"{test.__name__}: ok, {time.monotonic() - begin:.1f} s", flush=True)
            us_to_python(folder, url)
            print("us_to_python: ok")


if __name__ == "__main__":
    main()
