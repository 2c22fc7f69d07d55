"""PagerDuty's own library: an alert opened, answered and closed, and a change."""
import json
import sys

import pagerduty

base, key = sys.argv[1:3]
client = pagerduty.EventsApiV2Client(key, base_url=base)
made = client.trigger("db-07 does not answer", "db-07", severity="critical", custom_details={"机房": "bj-1"})
assert client.acknowledge(made) == made
assert client.resolve(made) == made
client.send_change_event(
    payload={"summary": "release 2.1", "timestamp": "2026-11-20T19:10:00Z", "source": "ci", "custom_details": {}}
)
try:
    client.send_event("trigger", payload={"source": "db-07", "severity": "critical"})
    refused = ""
except pagerduty.Error as error:
    refused = error.response.text
print(json.dumps({"key": made, "refused": refused, "version": pagerduty.__version__}))
