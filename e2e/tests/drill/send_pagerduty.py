"""PagerDuty's own library and the one before it: one alert, with their own ways of trying again."""
import sys

library, base, key, host = sys.argv[1:5]
if library == "pagerduty":
    import pagerduty

    client = pagerduty.EventsApiV2Client(key, base_url=base)
    client.timeout = 3
else:
    import pdpyras

    client = pdpyras.EventsAPISession(key)
    client.url, client.timeout = base, 3
# It waits for this long before it tries again, and longer each time.
client.sleep_timer, client.sleep_timer_base = 0.5, 1.2
client.max_network_attempts = 40
print(client.trigger("it is down", host, severity="critical"))
