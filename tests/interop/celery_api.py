"""Our API's tasks, run by real Celery workers: state, result, stream, and what an emptied Redis brings again.
Usage: celery_api.py ALPHASWARM"""
import asyncio
import contextlib
import datetime
import json
import pathlib
import sqlite3
import tempfile
import threading
import time
import urllib.error

import celery
import redis as redis_client
import tornado.websocket

from celery_both_ways import CELERY, HERE, PEER as ALPHASWARM, equal, redis
from support import free_ports, get, post, server, wait_until

EMPTY = {"status": "PENDING", "result": None, "error": None, "traceback": None, "finished_at": None}


class Api:
    """`alphaswarm api` and its database, with a folder for the tasks to be told apart by."""

    def __init__(self, folder: pathlib.Path, url: str):
        self.folder, self.url, self.port = folder, url, free_ports(1)[0]
        for each in ("fine", "broken"):
            (folder / "work" / each).mkdir(parents=True)
        self.base = f"http://127.0.0.1:{self.port}"

    def process(self, name="api"):
        return server([ALPHASWARM, "api", "--port", self.port, "--data-dir", self.folder / "data"], self.folder / f"{name}.log",
                      lambda log: "ready" in log, {"ALPHASWARM_REDIS_URL": self.url})

    def start(self, what: str) -> str:
        return post(f"{self.base}/data/ingest", {"path": str(self.folder / "work" / what)})[0]["task_id"]

    def task(self, task_id: str) -> dict:
        return json.loads(get(f"{self.base}/tasks/{task_id}"))

    def row(self, task_id: str) -> dict:
        """The table itself: nobody has asked the API."""
        (path,) = (self.folder / "data").rglob("*.db")
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.row_factory = sqlite3.Row
            return dict(database.execute("SELECT * FROM tasks WHERE id = ?", (task_id,)).fetchone())

    def others(self, ids: list) -> list:
        (path,) = (self.folder / "data").rglob("*.db")
        with contextlib.closing(sqlite3.connect(path)) as database:
            return [task_id for (task_id,) in database.execute("SELECT id FROM tasks") if task_id not in ids]

    def ends(self, task_id: str, status: str) -> dict:
        wait_until(lambda: self.row(task_id)["finished_at"], f"task {task_id} does not end in the table: {self.row(task_id)}", 20)
        equal(self.row(task_id)["status"], status, "status in the table")
        return self.row(task_id)

    def may_go_on(self, yes: bool):
        (self.folder / "work" / "go").touch() if yes else (self.folder / "work" / "go").unlink(missing_ok=True)

    def runs(self) -> list:
        path = self.folder / "work" / "runs"
        return path.read_text().split() if path.exists() else []


class Stream(threading.Thread):
    """Reads a task's stream until the service closes it."""

    def __init__(self, api: Api, task_id: str):
        super().__init__(daemon=True)
        self.url = f"ws://127.0.0.1:{api.port}/chat/stream/{task_id}"
        self.open, self.frames, self.code = threading.Event(), [], None
        self.start()

    def run(self):
        async def read():
            socket = await tornado.websocket.websocket_connect(self.url)
            self.open.set()
            while (text := await socket.read_message()) is not None:
                self.frames.append(json.loads(text))
            self.code = socket.close_code

        asyncio.run(read())

    def last(self) -> dict:
        self.join(20)
        assert not self.is_alive(), f"the stream is still open after {self.frames}"
        equal(self.code, 1000, "close code")
        equal([frame["stage"] in ("done", "error") for frame in self.frames], [False] * (len(self.frames) - 1) + [True], "one terminal frame")
        return self.frames[-1]


def celery_worker(folder, url):
    arguments = [CELERY, "-A", "celery_desk", "worker", "-P", "threads", "-c", "4", "-Q", "ingestion", "-l", "INFO", "-n", "desk@here"]
    return server(arguments, folder / f"celery-{time.monotonic_ns()}.log", lambda log: "ready." in log, {"PEER_REDIS": url, "PYTHONPATH": str(HERE)})


def python_runs_them(api: Api, folder, url):
    """The table and the stream end although nobody asks."""
    api.may_go_on(False)
    with celery_worker(folder, url):
        fine, broken = api.start("fine"), api.start("broken")
        streams = {each: Stream(api, each) for each in (fine, broken)}
        for each in streams.values():
            assert each.open.wait(20)
        wait_until(lambda: len(api.runs()) == 2, "Celery has not begun", 20)
        equal({name: api.task(fine)[name] for name in EMPTY}, EMPTY, "while it runs")
        api.may_go_on(True)
        equal(streams[fine].last()["result"], {"rows": 7, "in": "fine"}, "the last frame")
        equal(streams[broken].last()["error"], "broken on purpose", "the last frame of a failure")
    equal(json.loads(api.ends(fine, "SUCCESS")["result_json"]), {"rows": 7, "in": "fine"}, "result")
    equal(api.ends(broken, "FAILURE")["error"], "broken on purpose", "error")
    told = api.task(broken)
    assert told["traceback"].startswith("Traceback") and "ValueError" in told["traceback"], told
    equal((told["status"], told["error"], told["result"]), ("FAILURE", "broken on purpose", None), "GET of a failure")
    told = api.task(fine)
    equal((told["status"], told["error"], told["result"]), ("SUCCESS", None, {"rows": 7, "in": "fine"}), "GET of a success")
    for each in (fine, broken):
        late = Stream(api, each).last()
        assert late["stage"] in ("done", "error")
    with contextlib.suppress(urllib.error.HTTPError):
        api.task("unheard-of")
        raise AssertionError("a task nobody knows was told")


def stored(client, task_id, status, result, publish=False):
    key = f"celery-task-meta-{task_id}"
    text = json.dumps({"status": status, "result": result, "traceback": None, "children": [],
                       "date_done": datetime.datetime.now(datetime.timezone.utc).isoformat(), "task_id": task_id})
    client.set(key, text, ex=600)
    if publish:
        client.publish(key, text)


def what_was_not_heard(api: Api, client):
    """A result that was stored and whose announcement is lost: found by asking, and after a gap without asking."""
    asked = api.start("fine")
    stored(client, asked, "STARTED", {"pid": 1, "hostname": "desk@here"}, publish=True)
    wait_until(lambda: api.task(asked)["status"] == "STARTED", "the state in between is not told", 20)
    equal((api.row(asked)["status"], api.row(asked)["finished_at"]), ("PENDING", None), "the row of a task that runs")
    stored(client, asked, "SUCCESS", 1)
    equal((api.task(asked)["status"], api.task(asked)["result"]), ("SUCCESS", 1), "GET")
    equal(api.row(asked)["status"], "SUCCESS", "the row after GET")
    watched = api.start("fine")
    stored(client, watched, "SUCCESS", 2)
    equal(Stream(api, watched).last()["result"], 2, "the last frame of a stream that begins late")
    unasked = api.start("fine")
    stream = Stream(api, unasked)
    assert stream.open.wait(20)
    stored(client, unasked, "SUCCESS", 3)
    client.client_kill_filter(_type="pubsub")
    api.ends(unasked, "SUCCESS")
    equal(stream.last()["result"], 3, "the last frame after a gap")


def while_the_api_is_away(folder, url, api: Api):
    with api.process("api-before"):
        task = api.start("fine")
    with celery_worker(folder, url):
        wait_until(lambda: task in api.runs(), "Celery did not run it", 20)
        client = redis_client.from_url(url)
        wait_until(lambda: client.exists(f"celery-task-meta-{task}"), "Celery stored no result", 20)
    equal(api.row(task)["status"], "PENDING", "nobody was there to note it")
    with api.process("api-after"):
        api.ends(task, "SUCCESS")


def an_empty_redis_brings_nothing_again(api: Api, client):
    wait_until(lambda: client.get("alphaswarm:broker:whole") == b"yes", "nobody looks after Redis", 20)
    waiting = api.start("fine")  # the only one that is open
    client.flushall()
    wait_until(lambda: client.get("alphaswarm:broker:whole") == b"yes", "nobody saw that Redis is empty", 20)
    equal([tag.decode() for tag in client.hkeys("unacked")], [f"lost:{waiting}"], "what is sent again")
    stored(client, waiting, "SUCCESS", None, publish=True)
    api.ends(waiting, "SUCCESS")


def beside_our_own_worker(api: Api, folder, url):
    """Ours ends its tasks itself: one terminal frame, whoever is first."""
    environment = {"ALPHASWARM_REDIS_URL": url}
    with server([ALPHASWARM, "worker", "--data-dir", folder / "data"], folder / "worker.log", lambda log: "ready" in log, environment):
        tasks = [api.start("fine") for _ in range(20)]
        streams = [Stream(api, task) for task in tasks]
        for task, stream in zip(tasks, streams):
            last = stream.last()
            equal(api.row(task)["status"], {"done": "SUCCESS", "error": "FAILURE"}[last["stage"]], "the row")
            equal(json.loads(api.row(task)["terminal_frame_json"]), last, "the frame that is kept")


def what_follows_ours_is_not_lost(api: Api, folder, url, client):
    """A link without an id, to a Python worker: in the table before it is sent, and sent again by an emptied Redis."""
    api.may_go_on(True)
    app = celery.Celery("client", broker=url, backend=url)
    follower = app.signature("alphaswarm.tasks.ingestion_tasks.load_local_directory", args=[str(folder / "work" / "fine")], queue="ingestion",
                             immutable=True)
    wait_until(lambda: client.get("alphaswarm:broker:whole") == b"yes", "nobody looks after Redis", 20)
    known = api.others([])
    with server([ALPHASWARM, "worker", "--data-dir", folder / "data", "--queues", "default"], folder / "worker-default.log",
                lambda log: "ready" in log, {"ALPHASWARM_REDIS_URL": url}):
        first = app.send_task("nobody.knows", queue="default", link_error=follower).id
        wait_until(lambda: first in api.others([]), "our worker did not take it", 20)
        api.ends(first, "FAILURE")
        (task,) = api.others([*known, first])
        wait_until(lambda: client.llen("ingestion") == 1, "what is to follow was not sent", 20)
        equal({name: api.task(task)[name] for name in EMPTY}, EMPTY, "what is to follow")
        client.flushall()
        wait_until(lambda: client.llen("ingestion") == 1, "what is to follow was lost", 40)
    with celery_worker(folder, url):
        equal(json.loads(api.ends(task, "SUCCESS")["result_json"]), {"rows": 7, "in": "fine"}, "its result")
    equal(api.runs().count(task), 1, "how often it was run")


def a_session_stopped_before_it_began(api: Api, folder, url, client):
    """Two of them, and one worker of Celery for one at a time: the second does not begin.
    With processes: its pool of threads has begun with all it was given, and looks at no revoke."""
    api.may_go_on(False)

    def start(name):
        body = {"config": {"session": {"universe": ["AAPL.SIM"]}}, "run_name": str(folder / "work" / name)}
        return post(f"{api.base}/paper/start", body)[0]["task_id"]

    arguments = [CELERY, "-A", "celery_desk", "worker", "-P", "prefork", "-c", "1", "-Q", "paper", "-l", "INFO", "-n", "paper@here"]
    with server(arguments, folder / "celery-paper.log", lambda log: "ready." in log, {"PEER_REDIS": url, "PYTHONPATH": str(HERE)}):
        first = start("fine")
        wait_until(lambda: first in api.runs(), "Celery has not begun", 20)
        second = start("fine")
        wait_until(lambda: client.llen("paper") == 0, "Celery did not take it", 20)
        equal(post(f"{api.base}/paper/stop/{second}", {})[0]["ok"], True, "the answer to a stop")
        api.may_go_on(True)
        api.ends(first, "SUCCESS")
        api.ends(second, "REVOKED")
        equal(api.task(second)["error"], "revoked", "why it did not run")
    equal(second in api.runs(), False, "whether it was run")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with redis(folder) as url:
            client = redis_client.from_url(url)
            api = Api(folder, url)
            with api.process():
                for test, arguments in ((python_runs_them, (api, folder, url)), (what_was_not_heard, (api, client))):
                    test(*arguments)
                    print(f"{test.__name__}: ok", flush=True)
            client.flushall()
            while_the_api_is_away(folder, url, api)
            print("while_the_api_is_away: ok", flush=True)
            with api.process("api-again"):
                an_empty_redis_brings_nothing_again(api, client)
                print("an_empty_redis_brings_nothing_again: ok", flush=True)
                beside_our_own_worker(api, folder, url)
                print("beside_our_own_worker: ok", flush=True)
                a_session_stopped_before_it_began(api, folder, url, client)
                print("a_session_stopped_before_it_began: ok", flush=True)
                what_follows_ours_is_not_lost(api, folder, url, client)
                print("what_follows_ours_is_not_lost: ok", flush=True)


if __name__ == "__main__":
    main()
