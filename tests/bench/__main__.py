"""Run the benchmarks: `python -m tests.bench [NAME …]` prints one JSON object."""

import json
import os
import sys
import time


def main(wanted: list[str]) -> int:
    """Run the benchmarks of these names, or all, in a database that is dropped afterwards."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    from django.db import connection

    from tenants.models import Company
    from tests import environment
    from tests.bench import companies, grants, imports, redemptions, rosters

    benchmarks = {
        "redemption": redemptions.run,
        "grant": grants.run,
        "campaign": grants.run_campaign,
        "open_company": companies.run,
        "read_roster": rosters.run_reading,
        "check_roster": rosters.run_checking,
        "import_roster": imports.run_import,
        "import_roster_again": imports.run_again,
    }
    if unknown := set(wanted) - set(benchmarks):
        print(
            f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(benchmarks)}", file=sys.stderr
        )
        return 2
    environment.start_services()
    found = {}
    with environment.copy(environment.template()) as name:
        environment.use(name)
        for title in wanted or benchmarks:
            connection.set_tenant(Company.objects.get(schema_name="acme"))
            began = time.monotonic()
            print(f"{title} …", file=sys.stderr, flush=True)
            found[title] = benchmarks[title]()
            found[title]["seconds_in_all"] = round(time.monotonic() - began, 1)
        print(json.dumps(found, indent=2, ensure_ascii=False), flush=True)
        environment.use(f"{environment.PREFIX}_none")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
