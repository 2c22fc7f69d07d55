"""The library that came before PagerDuty's own, which many programs still have."""
import json
import sys
from importlib.metadata import version

import pdpyras

base, key = sys.argv[1:3]
session = pdpyras.EventsAPISession(key)
session.url = base
made = session.trigger("db-08 does not answer", "db-08", dedup_key="db-08/ping", severity="error")
assert session.acknowledge(made) == made
assert session.resolve(made) == made
changes = pdpyras.ChangeEventsAPISession(key)
changes.url = base
changes.submit("release 2.2", source="ci", links=[{"href": "https://ci.example/1"}])
print(json.dumps({"key": made, "version": version("pdpyras")}))
