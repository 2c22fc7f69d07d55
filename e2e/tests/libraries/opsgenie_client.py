"""Opsgenie's own library: each call that concerns an alert."""
import datetime
import json
import re
import sys
from importlib.metadata import version

import opsgenie_sdk
from opsgenie_sdk.exceptions import ConfigurationException

base, key = sys.argv[1:3]
configuration = opsgenie_sdk.Configuration()
configuration.host, configuration.api_key["Authorization"] = base, key
api = opsgenie_sdk.AlertApi(opsgenie_sdk.ApiClient(configuration))
alias = "db-09/磁盘"
calls = []


def done(name, *arguments, **named):
    """Makes a call and asks what came of it, at once."""
    answer = getattr(api, name)(*arguments, **named)
    assert answer.result == "Request will be processed", answer
    calls.append(name)
    return api.get_request_status(request_id=answer.request_id).data


create = opsgenie_sdk.CreateAlertPayload(
    message="disk is full", alias=alias, description="since 03:10", entity="db-09", priority="P1",
    tags=["env:prod"], details={"ip": "10.8.3.29"}, responders=[{"type": "team", "name": "db"}],
)
made = done("create_alert", create_alert_payload=create)
assert made.is_success and made.alias == alias, made
by = {"identifier": alias, "identifier_type": "alias"}
for name, payload in [
    ("acknowledge_alert", opsgenie_sdk.AcknowledgeAlertPayload(user="li", note="mine")),
    ("un_acknowledge_alert", opsgenie_sdk.UnAcknowledgeAlertPayload()),
    ("add_note", opsgenie_sdk.AddNoteToAlertPayload(note="looking")),
    ("add_tags", opsgenie_sdk.AddTagsToAlertPayload(tags=["dc:bj-1"])),
    ("add_details", opsgenie_sdk.AddDetailsToAlertPayload(details={"rack": "7"})),
    ("update_alert_message", opsgenie_sdk.UpdateAlertMessagePayload(message="disk is full, 0 bytes")),
    ("update_alert_description", opsgenie_sdk.UpdateAlertDescriptionPayload(description="since 03:11")),
    ("update_alert_priority", opsgenie_sdk.UpdateAlertPriorityPayload(priority="P2")),
    ("assign_alert", opsgenie_sdk.AssignAlertPayload(owner={"username": "li@example.org"})),
    ("escalate_alert", opsgenie_sdk.EscalateAlertToNextPayload(escalation={"name": "db"})),
    ("add_team", opsgenie_sdk.AddTeamToAlertPayload(team={"name": "net"})),
    ("execute_custom_alert_action", opsgenie_sdk.ExecuteCustomAlertActionPayload()),
    ("snooze_alert", opsgenie_sdk.SnoozeAlertPayload(
        end_time=datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1))),
]:
    named = dict(by)
    if name == "execute_custom_alert_action":
        named["action_name"] = "reboot"
    # The parameter is named like the payload's class.
    named[re.sub("(?<!^)(?=[A-Z])", "_", type(payload).__name__).lower()] = payload
    found = done(name, **named)
    assert found.is_success, (name, found)
shown = api.get_alert(**by).data
assert api.count_alerts().data.count == 1
listed = [it.alias for it in api.list_alerts(query="status:open").data]
closed = done("close_alert", **by, close_alert_payload=opsgenie_sdk.CloseAlertPayload(note="fixed"))
assert closed.is_success, closed
try:
    api.create_alert(create_alert_payload={"alias": "no message"})
    refused = 0
except ConfigurationException as error:
    refused = error.status
print(json.dumps({
    "calls": calls, "alias": listed, "message": shown.message, "priority": shown.priority, "tags": shown.tags,
    "status": shown.status, "refused": refused, "version": version("opsgenie-sdk"),
}))
