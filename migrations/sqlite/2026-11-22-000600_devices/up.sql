-- Browsers that receive web pushes. `endpoint` is a hash of the address they are reached by, which is sealed in `doc`.
CREATE TABLE device (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    endpoint TEXT NOT NULL UNIQUE,
    person TEXT NOT NULL,
    doc TEXT NOT NULL
) STRICT;

-- Which devices has a person?
CREATE INDEX device_person ON device (person);
