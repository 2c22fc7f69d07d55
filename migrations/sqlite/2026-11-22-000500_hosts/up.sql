-- Monitored machines. `doc` has what is known of one besides its samples.
CREATE TABLE host (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    seen_at INTEGER NOT NULL,
    doc TEXT NOT NULL
) STRICT;

-- What was measured, compressed: of one host by one feed in points of `step` seconds (0: every sample), from `at` on. The
-- key answers: which parts of a host lie in a span of time, and which are older than they are kept.
CREATE TABLE host_part (
    host INTEGER NOT NULL,
    step INTEGER NOT NULL,
    at INTEGER NOT NULL,
    feed TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (host, step, at, feed)
) STRICT;
