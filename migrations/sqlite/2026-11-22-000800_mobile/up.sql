-- Sessions of apps on paired devices. They end with their device and with their account.
CREATE TABLE device_session (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    token_hash TEXT NOT NULL UNIQUE,
    -- The token before, which works until the present one is used.
    previous_hash TEXT,
    previous_until INTEGER,
    account TEXT NOT NULL REFERENCES account (login_key) ON DELETE CASCADE,
    device INTEGER NOT NULL REFERENCES device (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
-- Whose token was this until a moment ago?
CREATE INDEX device_session_previous_hash ON device_session (previous_hash);
-- What ends with a change of password, role or standing.
CREATE INDEX device_session_account ON device_session (account);
-- What ends with a device.
CREATE INDEX device_session_device ON device_session (device);

-- Codes by which an app is let in, of which one is used once. They end with the session of the browser that shows them.
CREATE TABLE pairing (
    code_hash TEXT NOT NULL PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL
) STRICT;
-- What ends with a session.
CREATE INDEX pairing_session ON pairing (session);

-- What apps were answered, by the hash of device and idempotency key, for a day. Without a status it is still being done.
CREATE TABLE mobile_answer (
    key_hash TEXT NOT NULL PRIMARY KEY,
    device INTEGER NOT NULL REFERENCES device (id) ON DELETE CASCADE,
    asked_hash TEXT NOT NULL,
    at INTEGER NOT NULL,
    status INTEGER,
    body TEXT NOT NULL
) STRICT;
-- What ends with a device.
CREATE INDEX mobile_answer_device ON mobile_answer (device);
-- What is to be forgotten.
CREATE INDEX mobile_answer_at ON mobile_answer (at);
