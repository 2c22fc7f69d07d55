-- Who was on call, as it happened: added to behind the newest, never recomputed. `doc` is who, and why. How far it goes
-- is the fact `shifts_recorded_until`.
CREATE TABLE shift (
    schedule TEXT NOT NULL,
    from_at INTEGER NOT NULL,
    until_at INTEGER NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (schedule, from_at)
) STRICT, WITHOUT ROWID;

-- Swaps that people offer each other: `state` is offered, accepted or declined.
CREATE TABLE swap (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    state TEXT NOT NULL,
    doc TEXT NOT NULL
) STRICT;
