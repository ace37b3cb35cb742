from datetime import datetime
from typing import Any

from tenants import operations
from tenants.commands import JsonCommand
from tenants.models import Company


class Command(JsonCommand):
    help = "Bring the public schema, the template and every company to the current migrations."

    def work(self, *, at: datetime, **options: Any) -> dict[str, Any]:
        failed = operations.upgrade(at=at)
        self.holds = not failed
        return {"companies": Company.objects.count(), "failed": failed}
