"""What carriers' own libraries make of what we sent: reads questions as JSON, writes their answers as JSON.

Each answer comes out of the library; nothing of a signature is computed here.
"""

import json
import logging
import sys
from types import SimpleNamespace
from unittest import mock
from urllib.parse import parse_qs, parse_qsl, urlsplit

import requests
from aliyunsdkcore.auth.composer import rpc_signature_composer
from tencentcloud.common import credential
from tencentcloud.common.abstract_client import AbstractClient
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client


def twilio(asked):
    """The signature that comes with this form, and whether they know it as their own."""
    validator = RequestValidator(asked["token"])
    theirs = validator.compute_signature(asked["url"], asked["form"])
    return {"signature": theirs, "taken": validator.validate(asked["url"], asked["form"], theirs)}


class Recorder(HttpClient):
    """Stands in for the way to the network."""

    def __init__(self):
        super().__init__(logging.getLogger("twilio"), False)

    def request(self, method, url, params=None, data=None, headers=None, auth=None, **_):
        self.sent = requests.Request(method, url, headers, data=data, params=params, auth=auth).prepare()
        return Response(201, json.dumps({"sid": "SM1"}))


def twilio_request(asked):
    """What it sends for the same message or call."""
    # The names its functions know the fields by; one that it does not know is refused.
    names = {
        "To": "to", "From": "from_", "Body": "body", "StatusCallback": "status_callback", "Url": "url",
        "ValidityPeriod": "validity_period", "Timeout": "timeout", "StatusCallbackEvent": "status_callback_event",
    }
    fields = {}
    for name, value in asked["form"]:
        if name == "StatusCallbackEvent":
            fields.setdefault(names[name], []).append(value)
        else:
            fields[names[name]] = value
    recorder = Recorder()
    getattr(Client(asked["account"], asked["token"], http_client=recorder), asked["resource"]).create(**fields)
    sent = recorder.sent
    form = [list(pair) for pair in parse_qsl(sent.body, keep_blank_values=True)]
    return {"path": urlsplit(sent.url).path, "form": form, "authorization": sent.headers["Authorization"]}


def aliyun(asked):
    """The same parameters at the same instant with the same nonce, signed and written out."""
    fixed = asked["parameters"]
    own = {"SignatureMethod", "SignatureVersion", "SignatureNonce", "Timestamp", "AccessKeyId", "Format", "Signature"}
    parameters = {name: value for name, value in fixed.items() if name not in own}
    helper = rpc_signature_composer.helper
    with mock.patch.object(helper, "get_iso_8061_date", lambda: fixed["Timestamp"]), mock.patch.object(
        helper, "get_uuid", lambda: fixed["SignatureNonce"]
    ):
        url, _ = rpc_signature_composer.get_signed_url(parameters, asked["key_id"], asked["secret"], "JSON", "POST", {})
    # Theirs says that there is no type of signature; what is not there and what is empty sign differently, so the library
    # is asked once more without it.
    query = parse_qs(urlsplit(url).query, keep_blank_values=True)
    assert query.pop("SignatureType") == [""], query
    theirs = {name: values[0] for name, values in query.items() if name != "Signature"}
    compose = getattr(rpc_signature_composer, "__compose_string_to_sign")
    sign = getattr(rpc_signature_composer, "__get_signature")
    return {"parameters": theirs, "signature": sign(compose("POST", theirs), asked["secret"])}


def tencent(asked):
    """The header they would send with the same body at the same instant."""
    client = AbstractClient(credential.Credential(asked["id"], asked["key"]), asked["region"])
    client._apiVersion, client._service = asked["version"], asked["service"]
    client._endpoint = asked["host"]
    client.profile.httpProfile.endpoint = asked["host"]
    request = SimpleNamespace(method="POST", uri="/", header={}, data=None)
    body = asked["body"]
    with mock.patch("tencentcloud.common.abstract_client.time.time", lambda: asked["timestamp"]), mock.patch(
        "tencentcloud.common.abstract_client.json.dumps", lambda _: body
    ):
        client._build_req_with_tc3_signature(asked["action"], {}, request)
    # What it says of itself is not signed.
    headers = {name: value for name, value in request.header.items() if name not in ("X-TC-RequestClient", "X-TC-Language")}
    return {"headers": headers, "body": request.data}


ask = {"twilio": twilio, "twilio_request": twilio_request, "aliyun": aliyun, "tencent": tencent}
json.dump([ask[question["of"]](question) for question in json.load(sys.stdin)], sys.stdout)
