-- What is kept quiet on purpose. `live` is 1 while it is not over; `doc` has who, why, until when, and what it hid.
CREATE TABLE silence (
    id INTEGER NOT NULL PRIMARY KEY,
    live INTEGER NOT NULL,
    ended_at INTEGER,
    doc TEXT NOT NULL
) STRICT;
-- What the engine keeps in memory, read at start.
CREATE INDEX silence_live ON silence (id) WHERE live = 1;
-- Those that ended of late.
CREATE INDEX silence_ended_at ON silence (ended_at) WHERE ended_at IS NOT NULL;

ALTER TABLE counters ADD COLUMN silence INTEGER NOT NULL DEFAULT 0;
