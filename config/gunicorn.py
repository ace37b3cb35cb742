"""How the web server runs. Bind address and the number of processes and threads come from the command line."""

from typing import Any

worker_class = "gthread"
workers = 2
threads = 6
preload_app = True  # loaded once, shared by the processes
timeout = 60  # seconds without a sign of life after which a process is replaced
graceful_timeout = 15
keepalive = 5
accesslog = "-"
errorlog = "-"
control_socket_disable = True


def worker_exit(_server: Any, _worker: Any) -> None:
    """Close the pool of database connections; at exit its threads would keep the process for seconds."""
    from tenants.db import connection

    connection.close()
    connection.close_pool()
