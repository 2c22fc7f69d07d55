-- How heartbeats stand: when each was last heard, until when it is waited for, and its newest marks.
CREATE TABLE heartbeat (
    id TEXT NOT NULL PRIMARY KEY,
    doc TEXT NOT NULL
) STRICT;
