"""Python workers that run tasks of our API; how they find Redis."""
import os
import pathlib
import time

import celery

app = celery.Celery("desk", broker=os.environ["PEER_REDIS"], backend=os.environ["PEER_REDIS"])
app.conf.update(task_default_queue="ingestion", broker_connection_retry_on_startup=True, worker_hijack_root_logger=False)


def work(task_id, folder):
    """Notes that it runs, waits until it may go on, then does as its folder is called."""
    with (folder.parent / "runs").open("a") as runs:
        runs.write(task_id + "\n")
    while not (folder.parent / "go").exists():
        time.sleep(0.02)
    if folder.name == "broken":
        raise ValueError("broken on purpose")
    return {"rows": 7, "in": folder.name}


@app.task(name="alphaswarm.tasks.ingestion_tasks.load_local_directory", bind=True)
def ingest(self, source_dir, **_):
    return work(self.request.id, pathlib.Path(source_dir))


@app.task(name="alphaswarm.tasks.paper_tasks.run_paper", bind=True)
def run_paper(self, cfg, run_name):
    return work(self.request.id, pathlib.Path(run_name))
