"""Opsgenie's own library: one alert, with its own way of trying again."""
import sys

import opsgenie_sdk

base, key, host = sys.argv[1:4]
configuration = opsgenie_sdk.Configuration()
configuration.host, configuration.api_key["Authorization"] = base, key
configuration.set_retry_policy({"retry_count": 60, "retry_delay": 1, "retry_max_delay": 60})
api = opsgenie_sdk.AlertApi(opsgenie_sdk.ApiClient(configuration))
create = opsgenie_sdk.CreateAlertPayload(message="it is down", alias=host, entity=host, priority="P2")
print(api.create_alert(create_alert_payload=create, _request_timeout=3).request_id)
