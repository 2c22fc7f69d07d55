-- Calendars that others keep: how fetching each went, and its last good copy. The copy stands beside the document, which
-- is written every time it was looked for.
CREATE TABLE calendar_copy (
    url TEXT NOT NULL PRIMARY KEY,
    doc TEXT NOT NULL,
    copy TEXT
) STRICT;
