"""Stands for Google and Apple: takes pushes for apps as their own libraries understand them, and says what it took.

Prints the ports and keys it made, then a line for each request, until its input ends. A device's token ends in the status
that is answered.
"""
import json
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import google.auth.jwt
import h2.config
import h2.connection
import h2.events
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from google.oauth2 import service_account

PRIVATE = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
PUBLIC = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ec_key = ec.generate_private_key(ec.SECP256R1())
lock = threading.Lock()


def say(what):
    with lock:
        print(json.dumps(what), flush=True)


FCM_ERRORS = {
    400: "INVALID_ARGUMENT",
    403: "SENDER_ID_MISMATCH",
    404: "UNREGISTERED",
    429: "QUOTA_EXCEEDED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
APNS_REASONS = {
    400: "BadDeviceToken",
    403: "InvalidProviderToken",
    410: "Unregistered",
    413: "PayloadTooLarge",
    429: "TooManyRequests",
    500: "InternalServerError",
    503: "Shutdown",
}


class Google(BaseHTTPRequestHandler):
    issued = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        if self.path == "/token":
            self.token(body)
            return
        message = json.loads(body)
        token = message["message"]["token"]
        status = int(token[-3:])
        say({"fcm": self.path, "authorization": self.headers["authorization"], "message": message})
        error = {"code": status, "status": "X", "message": "no: " + token,
                 "details": [{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError",
                              "errorCode": FCM_ERRORS.get(status, "UNAUTHENTICATED")}]}
        self.answer(status, {"name": "projects/p/messages/1"} if status == 200 else {"error": error})

    def token(self, body):
        from urllib.parse import parse_qs
        form = parse_qs(body)
        public = rsa_key.public_key().public_bytes(*PUBLIC)
        said = google.auth.jwt.decode(form["assertion"][0], certs=public, audience=account["token_uri"])
        theirs = service_account.Credentials.from_service_account_info(
            account, scopes=["https://www.googleapis.com/auth/firebase.messaging"])
        reference = google.auth.jwt.decode(theirs._make_authorization_grant_assertion(), verify=False)
        heads = [jwt.get_unverified_header(it) for it in
                 (form["assertion"][0], theirs._make_authorization_grant_assertion().decode())]
        Google.issued += 1
        say({"grant": form["grant_type"][0], "claims": said, "reference": reference, "heads": heads})
        self.answer(200, {"access_token": f"canary-access-{Google.issued}", "expires_in": 3599, "token_type": "Bearer"})

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.send_header("retry-after", "7")
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def apple(connection):
    http2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
    http2.initiate_connection()
    connection.sendall(http2.data_to_send())
    headers, body = {}, b""
    while data := connection.recv(65536):
        for event in http2.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                headers, body = dict(event.headers), b""
            elif isinstance(event, h2.events.DataReceived):
                body += event.data
                http2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                status = int(headers[":path"][-3:])
                token = headers["authorization"].removeprefix("bearer ")
                claims = jwt.decode(token, ec_key.public_key().public_bytes(*PUBLIC), algorithms=["ES256"])
                age = time.time() - claims["iat"]
                say({"apns": headers, "payload": json.loads(body), "bytes": len(body), "claims": claims, "age": age,
                     "head": jwt.get_unverified_header(token)})
                answer = b"" if status == 200 else json.dumps({"reason": APNS_REASONS[status]}).encode()
                http2.send_headers(event.stream_id, [(":status", str(status)), ("retry-after", "7"),
                                                     ("apns-id", headers["apns-id"])], end_stream=not answer)
                if answer:
                    http2.send_data(event.stream_id, answer, end_stream=True)
        connection.sendall(http2.data_to_send())


def accept(listener):
    while True:
        threading.Thread(target=apple, args=(listener.accept()[0],), daemon=True).start()


google_server = ThreadingHTTPServer(("127.0.0.1", 0), Google)
at = f"http://127.0.0.1:{google_server.server_port}"
account = {
    "type": "service_account",
    "project_id": "our-pager",
    "client_email": "pager@our-pager.iam.gserviceaccount.com",
    "private_key_id": "k1",
    "private_key": rsa_key.private_bytes(*PRIVATE).decode(),
    "token_uri": at + "/token",
}
listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=google_server.serve_forever, daemon=True).start()
threading.Thread(target=accept, args=(listener,), daemon=True).start()
say({"fcm": at, "apns": f"http://127.0.0.1:{listener.getsockname()[1]}", "account": json.dumps(account),
     "key": ec_key.private_bytes(*PRIVATE).decode()})
sys.stdin.read()
