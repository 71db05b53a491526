CREATE TABLE finding_standings (
    finding_n INTEGER PRIMARY KEY REFERENCES findings (n), -- a finding about many events
    standing  TEXT NOT NULL CHECK (standing IN ('early', 'final', 'withdrawn')) -- how certain it is
) STRICT;

CREATE TABLE facts (
    seq   INTEGER PRIMARY KEY AUTOINCREMENT, -- place in the order of settling, without gaps, never used twice
    bytes BLOB NOT NULL -- what a settlement said to correlations; only the pipeline reads it
) STRICT;

CREATE TABLE snapshots (
    seq     INTEGER PRIMARY KEY, -- the last row of facts that is in it; names the file `correlations/<seq>.snapshot`
    digest  BLOB NOT NULL, -- SHA-256 of the file
    bytes   INTEGER NOT NULL, -- length of the file
    written INTEGER NOT NULL -- when it was noted
) STRICT;

CREATE TABLE correlation_counts (
    rule_id TEXT NOT NULL, -- the correlation
    name    TEXT NOT NULL, -- what is counted
    n       INTEGER NOT NULL CHECK (n >= 0), -- how many
    at      INTEGER NOT NULL, -- when it was last told
    PRIMARY KEY (rule_id, name)
) STRICT, WITHOUT ROWID;
