"""What a browser and a push service make of one push: the text in it, and who signed it.

Takes one argument, JSON; prints JSON. By http_ece and py_vapid, which know nothing of us.
"""

import base64
import json
import sys

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02

# RFC 8291, appendix A: the message that the standard itself encrypts for the key and secret the test uses.
WATERMELON = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_y"
    "l95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def opened(given, body):
    private = ec.derive_private_key(int.from_bytes(decoded(given["private"]), "big"), ec.SECP256R1())
    text = http_ece.decrypt(body, private_key=private, auth_secret=decoded(given["auth"]), version="aes128gcm")
    return text.decode()


given = json.load(sys.stdin)
token = given["authorization"].removeprefix("vapid t=").split(",")[0]
head, claims, _ = token.split(".")
print(
    json.dumps(
        {
            "watermelon": opened(given, decoded(WATERMELON)),
            "text": opened(given, decoded(given["body"])),
            "head": json.loads(decoded(head)),
            "claims": json.loads(decoded(claims)),
            "verified": Vapid02.verify(given["authorization"]),
        }
    )
)
