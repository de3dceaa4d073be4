"""`celery inspect`, revoke, `celery events` and Flower with our worker. Usage: celery_control.py CELERY_PEER"""
import contextlib
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

from celery_both_ways import CELERY, HERE, equal, our_worker, redis
from support import free_ports, get, server, wait_until


def answers(question):
    """What the workers answer, by their names; on a busy machine not always within the time-out."""
    found = {}
    wait_until(lambda: found.update(question() or {}) or found, f"no worker answers {question}", 20)
    return found


def answer(question, name):
    return answers(question)[name]


def inspect(app):
    seen = app.control.inspect(timeout=2)
    (name,), (reply,) = zip(*answers(seen.ping).items())
    equal(reply, {"ok": "pong"}, "ping")
    running = app.send_task("peer.sleep", [30])
    later = app.send_task("peer.echo", [1], countdown=600)
    wait_until(lambda: answer(seen.active, name) and answer(seen.scheduled, name), "the tasks are not shown", 20)
    equal([task["id"] for task in answer(seen.active, name)], [running.id], "active")
    equal([task["request"]["id"] for task in answer(seen.scheduled, name)], [later.id], "scheduled")
    assert "peer.echo" in answer(seen.registered, name)
    equal(answer(seen.stats, name)["prefetch_count"], 16, "stats")
    equal([queue["name"] for queue in answer(seen.active_queues, name)], ["default", "other"], "queues")
    equal(answer(lambda: seen.query_task(running.id), name)[running.id][0], "active", "query_task")
    for question in ("reserved", "conf", "revoked"):
        assert name in answers(getattr(seen, question)), question
    app.control.revoke([running.id, later.id], terminate=True)
    wait_until(lambda: {running.state, later.state} == {"REVOKED"}, "not revoked", 20)
    equal(set(answer(seen.revoked, name)), {running.id, later.id}, "revoked")
    equal(app.backend.client.hlen("unacked"), 0, "unacknowledged after revoke")
    return name


def patterns(app, name):
    """Celery's `pattern` and `matcher`: who is meant, by a part of the host name."""
    host = name.split("@")[1]
    heard = {"glob": ["celery@*", "*", f"c?lery@{host}", "[a-d]elery@*"],
             "pcre": ["celery@.*", "c", rf"celery@{host}$", "(cel|x)ery@"]}
    unheard = {"glob": ["other@*", "celery", "CELERY@*", "[!c]elery@*"], "pcre": ["elery", "^other", "(", "(c*)*x"],
               "unheard-of": ["celery@*"]}

    def tell(table, more=None):
        said = []
        for matcher, texts in table.items():
            for text in texts:
                said.append(f"{matcher} {text}")
                app.control.broadcast("revoke", arguments={"task_id": said[-1]}, pattern=text, matcher=matcher, **(more or {}))
        return set(said)

    revoked = app.control.inspect(timeout=2).revoked
    before = set(answer(revoked, name))
    wanted = tell(heard)
    tell(unheard)
    # A destination counts alone, as in Celery.
    wanted |= tell({"destination": ["other@*"]}, {"destination": [name]})
    equal(set(answer(revoked, name)) - before, wanted, "whom a pattern means")
    reply = app.control.broadcast("ping", pattern="celery@*", matcher="glob", reply=True, limit=1, timeout=20)
    equal(reply, [{name: {"ok": "pong"}}], "the answer to a pattern")


def without_an_end(app, name):
    """Who gives no time-out sends `expires` 0: the request never expires."""
    app.control.broadcast("revoke", arguments={"task_id": "for ever"}, timeout=0)
    wait_until(lambda: "for ever" in (app.control.inspect(timeout=2).revoked() or {}).get(name, []), "a request without an end is not heard", 20)


def command_line(url, name):
    environment = os.environ | {"PEER_REDIS": url, "PYTHONPATH": str(HERE)}
    for what, wanted in (("ping", "pong"), ("active", "empty"), ("stats", "prefetch_count")):
        done = subprocess.run([CELERY, "-A", "celery_tasks", "inspect", what, "-t", "3"], capture_output=True, text=True, timeout=60, env=environment)
        assert done.returncode == 0 and wanted in done.stdout and name in done.stdout, (what, done.stdout, done.stderr)


def events(app, folder, url):
    kinds, told = [], []
    app.control.enable_events()

    def listen():
        with app.connection_for_read() as connection, contextlib.suppress(Exception):
            receiver = app.events.Receiver(connection, handlers={"*": lambda event: (told.append(event), kinds.append(event["type"]))})
            receiver.capture(limit=None, timeout=20, wakeup=False)

    threading.Thread(target=listen, daemon=True).start()
    wait_until(lambda: "worker-heartbeat" in kinds, "no heartbeat", 20)
    app.send_task("peer.echo", [1]).get(timeout=20)
    with contextlib.suppress(Exception):
        app.send_task("peer.fail").get(timeout=20)
    app.send_task("peer.flaky", [1]).get(timeout=20)
    wanted = {"task-received", "task-started", "task-succeeded", "task-failed", "task-retried"}
    wait_until(lambda: wanted <= set(kinds), lambda: f"missing events: {wanted - set(kinds)}", 20)

    def revoked(task):
        return [(event["terminated"], event["expired"]) for event in told if event["type"] == "task-revoked" and event["uuid"] == task.id]

    running, later = app.send_task("peer.sleep", [30]), app.send_task("peer.echo", [1], countdown=600)
    begun = {("task-started", running.id), ("task-received", later.id)}
    wait_until(lambda: begun <= {(event["type"], event.get("uuid")) for event in told}, "they do not begin", 20)
    app.control.revoke([running.id, later.id], terminate=True)
    expired = app.send_task("peer.echo", [1], expires=datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=9))
    for task, how in ((running, [(True, False)]), (later, [(False, False)]), (expired, [(False, True)])):
        wait_until(lambda: revoked(task), lambda: f"no event of a task that was revoked, {how}; the last: {kinds[-20:]}", 20)
        equal(revoked(task), how, "terminated, expired")

    def of_workers(kind):
        return [event for event in told if event["type"] == f"worker-{kind}"]

    with our_worker(folder, url):
        wait_until(lambda: of_workers("online"), "a worker that comes does not say so", 20)
        equal(of_workers("offline"), [], "who has gone so far")
    wait_until(lambda: of_workers("offline"), "a worker that goes does not say so", 20)
    for kind in ("online", "offline"):
        (event,) = of_workers(kind)
        assert event["hostname"].startswith("celery@") and event["sw_ident"] == "alphaswarm" and event["pid"] > 0, event
    equal(of_workers("online")[0]["pid"], of_workers("offline")[0]["pid"], "who came and went")


def dumped_events(url, name, app):
    """What `celery events --dump` writes of our worker."""
    environment = os.environ | {"PEER_REDIS": url, "PYTHONPATH": str(HERE), "PYTHONUNBUFFERED": "1"}
    with tempfile.NamedTemporaryFile("w") as output:
        dumper = subprocess.Popen([CELERY, "-A", "celery_tasks", "events", "--dump"], stdout=output, stderr=subprocess.STDOUT, env=environment)

        def text():
            return pathlib.Path(output.name).read_text()

        try:
            wait_until(lambda: f"{name} [" in text() and "heartbeat" in text(), "no heartbeat in the dump", 30)
            done, failed = app.send_task("peer.echo", [42]), app.send_task("peer.fail")
            wanted = [f"task received: peer.echo({done.id}) args=[42]", f"task started: peer.echo({done.id})", f"task succeeded: peer.echo({done.id})",
                      "result=42", f"task failed: peer.fail({failed.id})", "broken on purpose"]
            wait_until(lambda: all(line in text() for line in wanted), "missing in the dump", 20)
        except RuntimeError as error:
            raise AssertionError(f"{error}: {text()}") from None
        finally:
            dumper.terminate()
            try:
                dumper.wait(20)
            except subprocess.TimeoutExpired:  # as support.server says of Celery
                dumper.kill()
                dumper.wait()


def flower(app, folder, url, name):
    port = free_ports(1)[0]
    arguments = [CELERY, "-A", "celery_tasks", "flower", f"--port={port}", "--address=127.0.0.1", "--logging=INFO"]
    environment = {"PEER_REDIS": url, "PYTHONPATH": str(HERE), "FLOWER_UNAUTHENTICATED_API": "1"}
    with server(arguments, folder / "flower.log", lambda log: "Visit me at" in log, environment):
        base = f"http://127.0.0.1:{port}"

        def page(path):
            with contextlib.suppress(OSError):
                return get(base + path).decode()
            return ""

        wait_until(lambda: name in page("/api/workers?refresh=1"), "Flower does not know the worker", 40)
        seen = []

        def one_is_seen():  # its enable_events comes every five seconds; what ran before that it does not know
            task = app.send_task("peer.echo", [42])
            task.get(timeout=20)
            with contextlib.suppress(RuntimeError):
                wait_until(lambda: "SUCCESS" in page(f"/api/task/info/{task.id}"), "not this one", 2)
                seen.append(task)
            return seen

        wait_until(one_is_seen, "Flower does not know the tasks", 60)
        (task,) = seen
        worker_page = page(f"/worker/{name}")
        assert "peer.echo" in worker_page and "default" in worker_page, worker_page[:2000]
        assert "peer.echo" in page(f"/task/{task.id}"), "the task page"
        listed = json.loads(page("/api/tasks"))
        assert task.id in listed, "the list of tasks"


def main():
    with tempfile.TemporaryDirectory() as folder_name:
        folder = pathlib.Path(folder_name)
        with redis(folder) as url:
            os.environ["PEER_REDIS"] = url
            from celery_tasks import app
            with our_worker(folder, url):
                name = inspect(app)
                print("inspect, revoke: ok", flush=True)
                patterns(app, name)
                print("pattern, matcher: ok", flush=True)
                without_an_end(app, name)
                print("no expires: ok", flush=True)
                command_line(url, name)
                print("command line: ok", flush=True)
                events(app, folder, url)
                print("events: ok", flush=True)
                dumped_events(url, name, app)
                print("events, dumped: ok", flush=True)
                flower(app, folder, url, name)
                print("flower: ok", flush=True)
            app.backend.remove_pending_result = lambda result: result  # Redis is gone when the last of them are


if __name__ == "__main__":
    main()
