-- Where the machine of an alert was when the alert came. Never written again: a later move does not change what was.
CREATE TABLE alert_place (
    alert INTEGER NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    doc TEXT NOT NULL
) STRICT;
