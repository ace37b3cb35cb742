"""The base of every task: the schema it runs in travels in its header, and a task without one crashes."""

import logging
from typing import Any

from celery import Task
from kombu.exceptions import OperationalError

from tenants.db import connection
from tenants.models import Company

logger = logging.getLogger(__name__)

PUBLIC = "public"


class CompanyTask(Task):
    """A task that runs in one schema: `task.ring(schema, id=…)` sends it, `acks_late` makes it survive its worker."""

    acks_late = True
    reject_on_worker_lost = True
    ignore_result = True
    abstract = True

    def ring(self, schema: str, **kwargs: Any) -> None:
        """Ask a worker to look. A broker that is away costs seconds, never work: the sweep finds the row."""
        try:
            self.apply_async(kwargs=kwargs, headers={"schema": schema}, retry=False)
        except OperationalError:
            logger.warning("the broker does not answer; %s waits for the sweep", self.name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        schema = (self.request.headers or {}).get("schema") or getattr(self.request, "schema", None)
        if not schema:
            raise RuntimeError(f"{self.name} was sent without a schema")
        try:
            if schema != PUBLIC:
                connection.set_schema_to_public()
                company = Company.objects.get(schema_name=schema)
                if not company.is_open:
                    logger.warning("%s refused: the company is %s", self.name, company.status)
                    return None
                connection.set_tenant(company)
            else:
                connection.set_schema_to_public()
            return self.run(*args, **kwargs)
        finally:
            connection.set_schema_to_public()
            connection.close()
