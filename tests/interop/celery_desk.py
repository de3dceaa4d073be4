"""Python workers that run tasks of our API; how they find Redis."""
import os
import pathlib
import time

import celery

app = celery.Celery("desk", broker=os.environ["PEER_REDIS"], backend=os.environ["PEER_REDIS"])
app.conf.update(task_default_queue="ingestion", broker_connection_retry_on_startup=True, worker_hijack_root_logger=False)


@app.task(name="alphaswarm.tasks.ingestion_tasks.load_local_directory", bind=True)
def ingest(self, source_dir, **_):
    """Notes that it runs, waits until it may go on, then does as its folder is called."""
    folder = pathlib.Path(source_dir)
    with (folder.parent / "runs").open("a") as runs:
        runs.write(self.request.id + "\n")
    while not (folder.parent / "go").exists():
        time.sleep(0.02)
    if folder.name == "broken":
        raise ValueError("broken on purpose")
    return {"rows": 7, "in": folder.name}
