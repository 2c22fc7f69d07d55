#!/usr/bin/env python3
"""Checks a proof that Tocsin gave (GET /api/v1/proof): python3 check-proof.py FILE. Needs nothing of Tocsin's."""
import hashlib, json, sys

def sha256(*fields):
    digest = hashlib.sha256()
    for field in (str(field).encode() for field in fields):
        digest.update(len(field).to_bytes(8, "big") + field)  # the length first: borders cannot be moved
    return digest.hexdigest()

SAYS = ["seq", "at", "kind", "incident", "key", "actor", "what"]
CHAIN = {"seq", "content", "prev", "hash"}  # all there is of what is withheld
last = None
for line in filter(str.strip, open(sys.argv[1], encoding="utf-8")):
    link = json.loads(line)
    if set(link) not in (CHAIN, CHAIN.union(SAYS)):
        sys.exit(f"link {link.get('seq')}: it says something that nothing proves")
    if "what" in link and link["content"] != sha256("tocsin proof 1", *(link[field] for field in SAYS)):
        sys.exit(f"link {link['seq']}: what it says was changed")
    if link["hash"] != sha256(link["prev"], link["content"]):
        sys.exit(f"link {link['seq']}: its hash was changed")
    if last and (link["seq"] != last["seq"] + 1 or link["prev"] != last["hash"]):
        sys.exit(f"link {link['seq']}: it does not follow link {last['seq']}")
    last = link
print(f"whole up to link {last['seq']}: {last['hash']}" if last else "no links")
