-- Port mirrors. `live` is 1 while one is not over; `doc` has who, why, the plan, every step and what was copied.
CREATE TABLE mirror (
    id BIGINT NOT NULL PRIMARY KEY,
    incident BIGINT,
    live SMALLINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Whoever asked, with their idempotency key; absent without one.
    idem_key TEXT,
    doc TEXT NOT NULL
);
-- What the engine keeps in memory, read at start.
CREATE INDEX mirror_live ON mirror (id) WHERE live = 1;
CREATE INDEX mirror_incident ON mirror (incident) WHERE incident IS NOT NULL;
CREATE INDEX mirror_created_at ON mirror (created_at);
CREATE UNIQUE INDEX mirror_idempotency ON mirror (idem_key) WHERE idem_key IS NOT NULL;

ALTER TABLE counters ADD COLUMN mirror BIGINT NOT NULL DEFAULT 0;
