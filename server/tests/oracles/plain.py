"""What other clients of ntfy send for the same message, and what the library of Standard Webhooks makes of our signature.

Reads JSON, prints JSON. Nothing leaves the machine: requests are recorded where they would be sent.
"""

import io
import json
import sys
from datetime import datetime, timezone
from unittest import mock
from urllib.parse import quote

import apprise
import requests
from python_ntfy import HttpAction, ViewAction
from standardwebhooks.webhooks import Webhook

ACTIONS = {"http": HttpAction, "view": ViewAction}
PRIORITIES = {"min": 1, "low": 2, "default": 3, "high": 4, "max": 5}


def ntfy(asked):
    """What Apprise posts, as the fields that ntfy reads its headers as; and the actions as python-ntfy writes them."""
    sent = []

    def send(_, request, **__):
        sent.append(request)
        response = requests.Response()
        response.status_code = 200
        response.raw = io.BytesIO(b"{}")
        return response

    message, token = asked["message"], asked["token"]
    tags, click = quote(",".join(message["tags"])), quote(message["click"], safe="")
    notifier = apprise.Apprise()
    address = f"ntfy://{token}@ntfy.example.org/{message['topic']}?auth=token&image=no&priority={message['priority']}"
    assert notifier.add(f"{address}&xtags={tags}&click={click}")
    with mock.patch.object(requests.adapters.HTTPAdapter, "send", send):
        assert notifier.notify(body=message["message"], title=message["title"], body_format=apprise.NotifyFormat.TEXT)
    (request,) = sent
    fields = json.loads(request.body)
    fields["priority"] = PRIORITIES[request.headers["X-Priority"]]
    # Apprise puts them in an order of its own.
    fields["tags"] = sorted(request.headers["X-Tags"].split(","), key=message["tags"].index)
    fields["click"] = request.headers["X-Click"]
    # A field that its class does not know is refused.
    named = [({**action}, ACTIONS[action["action"]]) for action in message["actions"]]
    fields["actions"] = [of(**{k: v for k, v in action.items() if k != "action"}).to_dict() for action, of in named]
    return {"fields": fields, "authorization": request.headers["Authorization"], "url": request.url}


def webhook(asked):
    """Whether it takes our signature, and what it would have signed."""
    headers = {name: asked[name] for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
    taken = Webhook(asked["secret"]).verify(asked["body"], headers)
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), timezone.utc)
    return {"taken": taken, "signature": Webhook(asked["secret"]).sign(headers["webhook-id"], at, asked["body"])}


given = json.load(sys.stdin)
json.dump({"ntfy": ntfy(given["ntfy"]), "webhook": webhook(given["webhook"])}, sys.stdout)
