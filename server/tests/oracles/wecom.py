"""What wechatpy makes of WeCom's callbacks: reads questions as JSON, writes its answers as JSON.

Nothing is signed or encrypted here: each answer comes out of the library.
"""

import json
import sys

from wechatpy.enterprise.crypto import WeChatCrypto


def crypto(asked):
    return WeChatCrypto(asked["token"], asked["aes_key"], asked["corp_id"])


def seal(asked):
    """A text as WeCom would send it."""
    return crypto(asked).encrypt_message(asked["text"], asked["nonce"], asked["timestamp"])


def open_(asked):
    """The text of an answer; it says so when the answer is not signed."""
    return crypto(asked).decrypt_message(asked["sealed"], asked["signature"], asked["timestamp"], asked["nonce"])


def echo(asked):
    """The word of a check of an address."""
    return crypto(asked).check_signature(asked["signature"], asked["timestamp"], asked["nonce"], asked["echostr"])


def text(answer):
    return answer.decode() if isinstance(answer, bytes) else answer


ask = {"seal": seal, "open": open_, "echo": echo}
json.dump([text(ask[question["do"]](question)) for question in json.load(sys.stdin)], sys.stdout)
