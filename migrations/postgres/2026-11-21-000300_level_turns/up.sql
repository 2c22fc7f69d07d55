-- Whose turn it is in levels that page one person at a time: `doc` lists who had one, the latest last.
CREATE TABLE level_turn (
    policy TEXT NOT NULL,
    level BIGINT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (policy, level)
);
