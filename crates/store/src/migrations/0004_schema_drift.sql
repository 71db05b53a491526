CREATE TABLE source_paths (
    source TEXT NOT NULL, -- the source
    path   TEXT NOT NULL, -- a key at the top of its records; empty: the row that counts samples
    first  INTEGER NOT NULL, -- the hour of receipt in which it was first seen
    last   INTEGER NOT NULL, -- the hour in which it was last seen
    n      INTEGER NOT NULL CHECK (n >= 0), -- in how many samples
    PRIMARY KEY (source, path)
) STRICT, WITHOUT ROWID;
