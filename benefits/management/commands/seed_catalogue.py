from datetime import datetime
from typing import Any

from benefits.catalogue import seed
from tenants.commands import JsonCommand


class Command(JsonCommand):
    help = "Write the example catalogue; what is there already stays as it is."

    def work(self, *, at: datetime, **options: Any) -> dict[str, Any]:
        return seed.seed()
