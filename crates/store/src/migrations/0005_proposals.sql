CREATE TABLE proposals (
    kind         TEXT NOT NULL, -- what kind of thing the inventory would have it as
    name         TEXT NOT NULL, -- how telemetry shows it
    first        INTEGER NOT NULL, -- event time of the first sighting
    last         INTEGER NOT NULL, -- event time of the latest
    n            INTEGER NOT NULL CHECK (n >= 0), -- in how many events
    sources      TEXT NOT NULL, -- JSON: sources that showed it
    example      BLOB NOT NULL, -- an event that shows it
    dismissed    INTEGER, -- when somebody said that it does not belong into the inventory
    dismissed_by TEXT, -- who
    reason       TEXT, -- why
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE proposals_left_out (
    id INTEGER PRIMARY KEY CHECK (id = 1), -- one row
    n  INTEGER NOT NULL -- sightings of things that there was no room for
) STRICT;
