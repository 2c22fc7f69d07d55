-- What each source of machines said last, in parts, so that little is written when little changed.
CREATE TABLE inventory (
    source TEXT NOT NULL,
    part INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (source, part)
) STRICT, WITHOUT ROWID;

-- VMs that came, went, moved, or got other addresses.
CREATE TABLE vm_move (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    vm TEXT NOT NULL,
    at INTEGER NOT NULL,
    doc TEXT NOT NULL
) STRICT;
CREATE INDEX vm_move_vm ON vm_move (source, vm, id);
CREATE INDEX vm_move_at ON vm_move (at);
