"""Messages that the library of Standard Webhooks signs: right, sent again, with the next secret, stale and changed."""
import json
import sys
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone
from importlib.metadata import version

from standardwebhooks.webhooks import Webhook

base, token, secret, following = sys.argv[1:5]
NOW = datetime.now(timezone.utc)


def send(name, body, at, by, changed=None):
    signature = Webhook(by).sign(name, at, body)
    headers = {
        "content-type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }
    sent = (changed or body).encode()
    request = urllib.request.Request(f"{base}/ingest/{token}", data=sent, headers=headers, method="POST")
    try:
        with urllib.request.urlopen(request) as answer:
            return [answer.status, json.load(answer)["event"]]
    except urllib.error.HTTPError as error:
        return [error.code, json.load(error)["code"]]


body = json.dumps({"host": "db-11", "severity": "P1", "status": "firing", "summary": "磁盘已满"}, ensure_ascii=False)
said = {
    "version": version("standardwebhooks"),
    "right": send("msg_1", body, NOW, secret),
    "again": send("msg_1", body, NOW, secret),
    "next": send("msg_2", body, NOW, following),
    "old": send("msg_3", body, NOW - timedelta(seconds=310), secret),
    "early": send("msg_4", body, NOW + timedelta(seconds=320), secret),
    "changed": send("msg_5", body, NOW, secret, body.replace("db-11", "db-12")),
    "stranger": send("msg_6", body, NOW, "whsec_c3RyYW5nZXIgc3RyYW5nZXIgc3RyYW5nZXI="),
    "over": send("msg_7", body.replace("firing", "resolved"), NOW, following),
}
print(json.dumps(said))
