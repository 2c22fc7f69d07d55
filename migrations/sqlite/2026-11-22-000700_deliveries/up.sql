-- Deliveries that began, by their numbers: an index over what incidents hold, written with them. `recipient` is
-- `person:ID` or `webhook:ID`, `provider` whoever carried the last try, `fault` whose a failure is, as far as is known.
CREATE TABLE delivery (
    id INTEGER NOT NULL PRIMARY KEY,
    incident INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    channel TEXT NOT NULL,
    provider TEXT NOT NULL,
    state TEXT NOT NULL,
    severity INTEGER NOT NULL,
    sent_at INTEGER NOT NULL,
    finished_at INTEGER,
    fault TEXT,
    doc TEXT NOT NULL
) STRICT;
-- The newest deliveries, and those of a while.
CREATE INDEX delivery_sent ON delivery (sent_at, id);
-- What was one person sent?
CREATE INDEX delivery_recipient ON delivery (recipient, sent_at, id);
-- How does a provider do?
CREATE INDEX delivery_provider ON delivery (provider, sent_at, id);
-- What failed, or is not over?
CREATE INDEX delivery_unwell ON delivery (sent_at, id) WHERE state <> 'accepted';

-- What incidents hold already. Who carried it was not kept, so that the channel stands for it.
INSERT OR IGNORE INTO delivery (id, incident, recipient, channel, provider, state, severity, sent_at, finished_at, fault, doc)
SELECT
    json_extract(a.value, '$.id'),
    i.id,
    CASE WHEN json_extract(p.value, '$.recipient.person') IS NOT NULL
        THEN 'person:' || json_extract(p.value, '$.recipient.person')
        ELSE 'webhook:' || json_extract(p.value, '$.recipient.webhook') END,
    json_extract(a.value, '$.channel'),
    CASE json_extract(a.value, '$.channel') WHEN 'email' THEN 'smtp' ELSE json_extract(a.value, '$.channel') END,
    json_extract(a.value, '$.state'),
    i.severity,
    json_extract(a.value, '$.first_sent_at'),
    json_extract(a.value, '$.finished_at'),
    CASE WHEN json_extract(a.value, '$.failure') IS NOT NULL THEN 'unknown' END,
    json_object(
        'page', json_extract(p.value, '$.id'),
        'recipient', json(json_extract(p.value, '$.recipient')),
        'queued_at', COALESCE(json_extract(p.value, '$.waits.until'), json_extract(p.value, '$.created_at')),
        'attempt', json(a.value))
FROM incident i, json_each(i.doc, '$.pages') p, json_each(p.value, '$.attempts') a
WHERE json_extract(a.value, '$.first_sent_at') IS NOT NULL;

-- Deliveries and answers as they happened, each with the hash of the one before: added to and never changed.
CREATE TABLE proof (
    id INTEGER NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    incident INTEGER NOT NULL,
    attempt_key TEXT NOT NULL,
    actor TEXT NOT NULL,
    what TEXT NOT NULL,
    content TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;
-- From which link to which was an incident?
CREATE INDEX proof_incident ON proof (incident, id);
-- Which links are of a while?
CREATE INDEX proof_at ON proof (at, id);
CREATE TRIGGER proof_keeps_rows BEFORE DELETE ON proof
BEGIN
    SELECT RAISE(ABORT, 'the proof is append-only');
END;
CREATE TRIGGER proof_keeps_words BEFORE UPDATE ON proof
BEGIN
    SELECT RAISE(ABORT, 'the proof is append-only');
END;

-- Contacts that refused for good what was sent to them, until one takes something again or is changed.
CREATE TABLE broken_contact (
    person TEXT NOT NULL,
    contact TEXT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (person, contact)
) STRICT;
