"""The oldest Celery that we promise to work with, both ways. Usage: celery_oldest.py CELERY_PEER"""
import os
import pathlib
import tempfile

import celery
import kombu

from celery_both_ways import equal, lost_to_the_other_kind, python_to_us, redis, us_to_python, what_we_ask_of_python


def main():
    equal((celery.__version__, kombu.__version__), ("5.2.7", "5.2.4"), "the versions that are tested")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with redis(folder) as url:
            os.environ["PEER_REDIS"] = url
            from celery_tasks import app
            python_to_us(app, folder, url)
            print("python_to_us: ok", flush=True)
            us_to_python(folder, url)
            print("us_to_python: ok", flush=True)
            for test in (what_we_ask_of_python, lost_to_the_other_kind):
                test(app, folder, url)
                print(f"{test.__name__}: ok", flush=True)


if __name__ == "__main__":
    main()
