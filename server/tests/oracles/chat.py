"""What Apprise sends to each chat for the same room, secret and time, and whether Slack's own client takes our blocks.

Reads JSON, prints JSON. Nothing leaves the machine: requests are recorded where they would be sent.
"""

import base64
import hashlib
import hmac
import io
import json
import sys
import time
from urllib.parse import parse_qs, urlsplit

import apprise
import requests
from slack_sdk.models.blocks import Block
from slack_sdk.signature import Clock, SignatureVerifier

ANSWER = {"ok": True, "channel": "C1", "ts": "1", "errcode": 0, "code": 0, "result": {}}


def record(into):
    """Stands in for the way to the network."""

    def send(_, request, **__):
        into.append(request)
        response = requests.Response()
        response.status_code = 200
        response.url = request.url
        response.headers["Content-Type"] = "application/json"
        response.raw = io.BytesIO(json.dumps(ANSWER).encode())
        return response

    requests.adapters.HTTPAdapter.send = send


def sent(records, url, title, body, markdown=False):
    """The one request that this address of Apprise's makes."""
    records.clear()
    notifier = apprise.Apprise()
    assert notifier.add(url), url
    form = apprise.NotifyFormat.MARKDOWN if markdown else apprise.NotifyFormat.TEXT
    assert notifier.notify(body=body, title=title, body_format=form), url
    assert len(records) == 1, [record.url for record in records]
    request = records[0]
    split = urlsplit(request.url)
    return {
        "method": request.method,
        "path": split.path,
        "query": {name: values[0] for name, values in parse_qs(split.query).items()},
        "authorization": request.headers.get("Authorization"),
        "type": request.headers["Content-Type"].split(";")[0],
        "body": json.loads(request.body),
    }


def feishu_sign(secret, seconds):
    """Apprise does not sign for Feishu; this is the published algorithm by Python's own library."""
    key = f"{seconds}\n{secret}".encode()
    return base64.b64encode(hmac.new(key, b"", hashlib.sha256).digest()).decode()


def slack_signature(press):
    """Slack's own word for this press of a button, which its own verifier takes."""

    class Then(Clock):
        def now(self):
            return float(press["seconds"])

    verifier = SignatureVerifier(press["secret"], Then())
    signature = verifier.generate_signature(timestamp=press["seconds"], body=press["body"])
    assert verifier.is_valid(press["body"], press["seconds"], signature)
    return signature


def main():
    given = json.load(sys.stdin)
    records = []
    record(records)
    time.time = lambda: given["dingtalk_ms"] / 1000
    title, body = given["title"], given["body"]
    apprised = {name: sent(records, url, title, body, name == "dingtalk") for name, url in given["urls"].items()}
    blocks = Block.parse_all(given["slack_blocks"])
    print(json.dumps({
        "apprise": apprised,
        "slack_signature": slack_signature(given["slack_press"]),
        "feishu_sign": feishu_sign(given["secret"], given["feishu_seconds"]),
        # `to_dict` raises what Slack would refuse: a text that is too long, a button without an action.
        "slack_blocks": [block.to_dict() for block in blocks],
    }))


main()
