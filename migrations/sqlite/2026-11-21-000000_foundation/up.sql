-- The foundation: messages and what became of them, incidents, configuration, people who sign in, and the record of acts.
-- Where a table has a `doc`, the document is the truth and the other columns index it (../../README.md).

-- Facts about this installation: its id, its secret, the one-time setup code, the head of the audit chain.
CREATE TABLE meta (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- The last number given of each kind; one row. `revision` rises with every commit of the engine and fences
-- a writer whose memory is not the newest. Of later messages than `settled`, repeats are not yet counted in their alerts.
CREATE TABLE counters (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    revision INTEGER NOT NULL,
    event INTEGER NOT NULL,
    alert INTEGER NOT NULL,
    incident INTEGER NOT NULL,
    page INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    settled INTEGER NOT NULL
) STRICT;
INSERT INTO counters (id, revision, event, alert, incident, page, attempt, settled) VALUES (1, 0, 0, 0, 0, 0, 0, 0);

-- Messages as they arrived, with what became of each member in `doc`: the account. `idem_key` is the sender's
-- idempotency key, cut to a bounded length; `unpaged` is 1 when a member was suppressed, dropped or rejected.
CREATE TABLE event (
    id INTEGER NOT NULL PRIMARY KEY,
    integration TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    idem_key TEXT,
    size_bytes INTEGER NOT NULL,
    unpaged INTEGER NOT NULL,
    doc TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;
-- The newest messages of one sender, and when each sender was last heard.
CREATE INDEX event_integration ON event (integration, id);
-- The idempotency keys of the last day, read at start.
CREATE INDEX event_idem_key ON event (received_at) WHERE idem_key IS NOT NULL;
-- The messages that paged nobody: the quarantine among them.
CREATE INDEX event_unpaged ON event (id) WHERE unpaged = 1;

-- Which messages an incident has.
CREATE TABLE incident_event (
    incident INTEGER NOT NULL,
    event INTEGER NOT NULL,
    PRIMARY KEY (incident, event)
) STRICT, WITHOUT ROWID;

-- What people work on. `live` is 1 while it is not resolved or a delivery is under way; `search` is what the
-- search field looks through, in lower case.
CREATE TABLE incident (
    id INTEGER NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    state TEXT NOT NULL,
    severity INTEGER NOT NULL,
    title TEXT NOT NULL,
    host TEXT,
    ip TEXT,
    integration TEXT NOT NULL,
    team TEXT,
    opened_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    resolved_at INTEGER,
    live INTEGER NOT NULL,
    search TEXT NOT NULL,
    doc TEXT NOT NULL
) STRICT;
-- What the engine keeps in memory, read at start.
CREATE INDEX incident_live ON incident (id) WHERE live = 1;
-- Lists by sender and by team. Not by state: open incidents are listed from memory, and nearly all of the others are
-- resolved.
CREATE INDEX incident_integration ON incident (integration, id);
CREATE INDEX incident_team ON incident (team, id) WHERE team IS NOT NULL;
-- What happened to a machine before. Machines come in any order, so that an entry costs a page: it is made when the
-- incident is over, and not while a storm arrives.
CREATE INDEX incident_host ON incident (host, id) WHERE live = 0;
CREATE INDEX incident_ip ON incident (ip, id) WHERE live = 0;

-- Deduplicated alerts. Open ones have no `closed_at`; their incident knows their numbers.
CREATE TABLE alert (
    id INTEGER NOT NULL PRIMARY KEY,
    incident INTEGER NOT NULL,
    integration TEXT NOT NULL,
    dedup_key TEXT NOT NULL,
    first_at INTEGER NOT NULL,
    closed_at INTEGER,
    doc TEXT NOT NULL
) STRICT;
-- Lately closed identities, read at start.
CREATE INDEX alert_closed_at ON alert (closed_at) WHERE closed_at IS NOT NULL;
-- Earlier incidents of the same identity; an open one has no other that is open.
CREATE INDEX alert_identity ON alert (integration, dedup_key, incident) WHERE closed_at IS NOT NULL;

-- What happened to each incident and why; only ever appended to. A row holds what one decision wrote: an array of
-- entries, numbered from `seq` without a gap.
CREATE TABLE timeline (
    incident INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (incident, seq)
) STRICT, WITHOUT ROWID;

-- Every configuration that was ever in force; incidents keep the version they started with.
CREATE TABLE config_version (
    version INTEGER NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    toml TEXT NOT NULL
) STRICT;

-- Who may sign in. `login_key` is the login in lower case: logins differ by more than case.
CREATE TABLE account (
    login_key TEXT NOT NULL PRIMARY KEY,
    login TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    person TEXT,
    password_hash TEXT,
    disabled INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Browsers that are signed in; only the hash of the cookie is kept.
CREATE TABLE session (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    token_hash TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL REFERENCES account (login_key) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    user_agent TEXT NOT NULL,
    peer TEXT NOT NULL
) STRICT;
-- An account's own sessions, and what ends with a change of password, role or standing.
CREATE INDEX session_account ON session (account);
-- Sessions to be forgotten.
CREATE INDEX session_expires_at ON session (expires_at);

-- Bearer tokens of senders (integration), programs (api) and machines (agent); only their hash is kept.
CREATE TABLE token (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    integration TEXT,
    role TEXT,
    hash TEXT NOT NULL UNIQUE,
    hint TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    last_used_at INTEGER,
    revoked_at INTEGER
) STRICT;

-- Who did what: append-only, each row's hash covers the row and the hash before it.
CREATE TABLE audit (
    id INTEGER NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    detail TEXT NOT NULL,
    outcome TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_keeps_rows BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit record is append-only');
END;
CREATE TRIGGER audit_keeps_words BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit record is append-only');
END;
