"""Celery's canvas across both kinds of workers, and its time limits in ours. Usage: celery_canvas.py CELERY_PEER"""
import contextlib
import os
import pathlib
import tempfile
import time

from celery_both_ways import celery_worker, equal, left, our_worker, redis
from support import wait_until


def outcome(reply):
    with contextlib.suppress(Exception):
        reply.get(timeout=20)
    return reply.state, type(reply.result).__name__


class Signatures:
    """Ours by their names alone; Python's run in the queue of the Python worker."""

    def __init__(self, app):
        self.app = app

    def ours(self, name, *args, **options):
        return self.app.signature(f"peer.{name}", args=args, queue="default", **options)

    def theirs(self, name, *args, **options):
        return self.app.signature(f"python.{name}", args=args, queue="python", **options)


def chains(s, chain):
    equal(chain(s.ours("echo", 5), s.theirs("echo")).apply_async().get(timeout=20), 5, "ours, theirs")
    equal(chain(s.theirs("echo", [1]), s.ours("echo"), s.theirs("echo"), s.ours("echo")).apply_async().get(timeout=20), [1], "in turn")
    equal(chain(s.ours("echo", 1), s.theirs("echo", 2, immutable=True)).apply_async().get(timeout=20), 2, "immutable")
    equal(chain(s.ours("flaky", 2), s.theirs("echo")).apply_async().get(timeout=20), 2, "after retries")
    last = chain(s.ours("echo", 4), s.theirs("echo").set(countdown=0.5)).apply_async()
    equal((last.get(timeout=20), last.parent.state), (4, "SUCCESS"), "countdown")


def failures(app, s, chain):
    told = s.theirs("echo")
    last = chain(s.ours("fail"), s.theirs("echo"), s.ours("echo")).apply_async(link_error=told.clone())
    equal(outcome(last)[0], "FAILURE", "the last of a chain whose first has failed")
    equal((last.parent.state, str(last.result)), ("FAILURE", "broken on purpose"), "the others of it")
    errback = s.theirs("echo")
    heard = errback.freeze()
    failed = app.send_task("peer.fail", link_error=errback)
    equal(outcome(failed)[0], "FAILURE", "with link_error")
    equal(heard.get(timeout=20), failed.id, "what link_error is told")
    unwanted, silent = s.theirs("echo"), s.theirs("echo")
    never = [unwanted.freeze(), silent.freeze()]
    equal(outcome(app.send_task("peer.fail", link=unwanted))[0], "FAILURE", "with a link that is not needed")
    equal(app.send_task("peer.echo", [1], link_error=silent).get(timeout=20), 1, "with a link_error that is not needed")
    wait_until(lambda: left(app.backend.client, "default", "python") == 0, "messages are left", 20)
    equal(s.theirs("echo", 1).apply_async().get(timeout=20), 1, "what the Python worker has taken last")
    equal([each.state for each in never], ["PENDING"] * 2, "links of the other outcome")


def links(app, s, chain, group):
    several = [s.theirs("echo"), s.ours("echo")]
    heard = [each.freeze() for each in several]
    app.send_task("peer.echo", [{"a": 1}], link=several)
    equal([each.get(timeout=20) for each in heard], [{"a": 1}] * 2, "links")
    first, second = s.ours("echo"), s.theirs("echo")
    heard = second.freeze()
    app.send_task("peer.echo", [6], link=chain(first, second))
    equal(heard.get(timeout=20), 6, "a chain as link")
    equal(group(s.ours("echo", i) for i in range(5)).apply_async().get(timeout=20), list(range(5)), "a group")
    both = chain(s.ours("echo", 8), group(s.theirs("echo"), s.ours("echo"))).apply_async()
    equal(both.get(timeout=20), [8, 8], "a group at the end of a chain")


def chords(app, s, chord, chain, group):
    """Refused in words, not dropped."""
    body = chord([s.ours("echo", 1), s.ours("echo", 2)])(s.theirs("echo"))
    for part in body.parent.results:
        equal(outcome(part), ("FAILURE", "NotImplementedError"), "a part of a chord")
        assert "chord" in str(part.result), part.result
    first = s.ours("echo", 1)
    refused = first.freeze()
    chain(first, chord([s.theirs("echo"), s.theirs("echo")], s.theirs("echo"))).apply_async()
    equal(outcome(refused), ("FAILURE", "NotImplementedError"), "a chord that is to follow")


def time_limits(app):
    begin = time.monotonic()
    for limits, name in (({"time_limit": 0.4}, "TimeLimitExceeded"), ({"soft_time_limit": 0.4}, "SoftTimeLimitExceeded"),
                         ({"time_limit": 60, "soft_time_limit": 0.4}, "SoftTimeLimitExceeded")):
        equal(outcome(app.send_task("peer.sleep", [30], **limits)), ("FAILURE", name), f"{limits}")
    assert time.monotonic() - begin < 20
    equal(app.send_task("peer.sleep", [0.1], time_limit=20, soft_time_limit=10).get(timeout=20), "slept", "within its limits")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with redis(folder) as url:
            os.environ["PEER_REDIS"] = url
            from celery import chain, chord, group
            from celery_tasks import app
            s = Signatures(app)
            with our_worker(folder, url), celery_worker(folder, url):
                for test, arguments in ((chains, (s, chain)), (failures, (app, s, chain)), (links, (app, s, chain, group)),
                                        (chords, (app, s, chord, chain, group)), (time_limits, (app,))):
                    test(*arguments)
                    print(f"{test.__name__}: ok", flush=True)
                wait_until(lambda: left(app.backend.client) == 0, "messages are left", 20)
            app.backend.remove_pending_result = lambda result: result  # Redis is gone when the last of them are


if __name__ == "__main__":
    main()
