-- Deliveries that began, by their numbers: an index over what incidents hold, written with them. `recipient` is
-- `person:ID` or `webhook:ID`, `provider` whoever carried the last try, `fault` whose a failure is, as far as is known.
CREATE TABLE delivery (
    id BIGINT NOT NULL PRIMARY KEY,
    incident BIGINT NOT NULL,
    recipient TEXT NOT NULL,
    channel TEXT NOT NULL,
    provider TEXT NOT NULL,
    state TEXT NOT NULL,
    severity SMALLINT NOT NULL,
    sent_at BIGINT NOT NULL,
    finished_at BIGINT,
    fault TEXT,
    doc TEXT NOT NULL
);
-- The newest deliveries, and those of a while.
CREATE INDEX delivery_sent ON delivery (sent_at, id);
-- What was one person sent?
CREATE INDEX delivery_recipient ON delivery (recipient, sent_at, id);
-- How does a provider do?
CREATE INDEX delivery_provider ON delivery (provider, sent_at, id);
-- What failed, or is not over?
CREATE INDEX delivery_unwell ON delivery (sent_at, id) WHERE state <> 'accepted';

-- What incidents hold already. Who carried it was not kept, so that the channel stands for it.
INSERT INTO delivery (id, incident, recipient, channel, provider, state, severity, sent_at, finished_at, fault, doc)
SELECT
    (a ->> 'id')::bigint,
    i.id,
    CASE WHEN p -> 'recipient' ->> 'person' IS NOT NULL
        THEN 'person:' || (p -> 'recipient' ->> 'person')
        ELSE 'webhook:' || (p -> 'recipient' ->> 'webhook') END,
    a ->> 'channel',
    CASE a ->> 'channel' WHEN 'email' THEN 'smtp' ELSE a ->> 'channel' END,
    a ->> 'state',
    i.severity,
    (a ->> 'first_sent_at')::bigint,
    (a ->> 'finished_at')::bigint,
    CASE WHEN a -> 'failure' IS NOT NULL THEN 'unknown' END,
    json_build_object(
        'page', (p ->> 'id')::bigint,
        'recipient', p -> 'recipient',
        'queued_at', COALESCE((p -> 'waits' ->> 'until')::bigint, (p ->> 'created_at')::bigint),
        'attempt', a)::text
FROM incident i,
    json_array_elements(COALESCE(i.doc::json -> 'pages', '[]'::json)) p,
    json_array_elements(p -> 'attempts') a
WHERE a ->> 'first_sent_at' IS NOT NULL
ON CONFLICT DO NOTHING;

-- Deliveries and answers as they happened, each with the hash of the one before: added to and never changed.
CREATE TABLE proof (
    id BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    incident BIGINT NOT NULL,
    attempt_key TEXT NOT NULL,
    actor TEXT NOT NULL,
    what TEXT NOT NULL,
    content TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL
);
-- From which link to which was an incident?
CREATE INDEX proof_incident ON proof (incident, id);
-- Which links are of a while?
CREATE INDEX proof_at ON proof (at, id);
CREATE FUNCTION proof_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the proof is append-only';
END;
$$;
CREATE TRIGGER proof_keeps_rows BEFORE UPDATE OR DELETE ON proof
    FOR EACH ROW EXECUTE FUNCTION proof_is_append_only();
CREATE TRIGGER proof_keeps_table BEFORE TRUNCATE ON proof
    FOR EACH STATEMENT EXECUTE FUNCTION proof_is_append_only();

-- Contacts that refused for good what was sent to them, until one takes something again or is changed.
CREATE TABLE broken_contact (
    person TEXT NOT NULL,
    contact TEXT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (person, contact)
);
