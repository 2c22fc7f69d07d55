-- What a person was sent by one contact of late: `doc` has the times that limits count, and how much of a storm they know.
CREATE TABLE contact_send (
    person TEXT NOT NULL,
    contact TEXT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (person, contact)
) STRICT;

-- Storms, by the incident that made one; `live` is 1 while it lasts, `doc` is the account of it.
CREATE TABLE storm (
    id INTEGER NOT NULL PRIMARY KEY,
    live INTEGER NOT NULL,
    doc TEXT NOT NULL
) STRICT;
