-- What is kept quiet on purpose. `live` is 1 while it is not over; `doc` has who, why, until when, and what it hid.
CREATE TABLE silence (
    id BIGINT NOT NULL PRIMARY KEY,
    live SMALLINT NOT NULL,
    ended_at BIGINT,
    doc TEXT NOT NULL
);
-- What the engine keeps in memory, read at start.
CREATE INDEX silence_live ON silence (id) WHERE live = 1;
-- Those that ended of late.
CREATE INDEX silence_ended_at ON silence (ended_at) WHERE ended_at IS NOT NULL;

ALTER TABLE counters ADD COLUMN silence BIGINT NOT NULL DEFAULT 0;
