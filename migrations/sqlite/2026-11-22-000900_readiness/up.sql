-- Whether the people who come on call are ready: what they were asked about each shift, and what they answered.
CREATE TABLE readiness (
    schedule TEXT NOT NULL,
    person TEXT NOT NULL,
    begins INTEGER NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (schedule, person, begins)
) STRICT, WITHOUT ROWID;
