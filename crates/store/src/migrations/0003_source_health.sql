CREATE TABLE feeds (
    source         TEXT NOT NULL, -- the source
    input          TEXT NOT NULL, -- the input through which it came
    lane           TEXT NOT NULL, -- live, sample, replay, test, exercise or canary
    first_received INTEGER NOT NULL, -- when its first event was received
    last_received  INTEGER NOT NULL, -- when its latest was
    last_event     INTEGER, -- the latest event time; one from the future counts as five minutes after its receipt
    settled        INTEGER NOT NULL, -- when its latest events were settled
    PRIMARY KEY (source, input, lane)
) STRICT, WITHOUT ROWID;

CREATE TABLE feed_hours (
    source  TEXT NOT NULL, -- the source
    input   TEXT NOT NULL, -- the input
    lane    TEXT NOT NULL, -- the lane
    hour    INTEGER NOT NULL, -- start of the hour of receipt
    records INTEGER NOT NULL CHECK (records >= 0), -- events
    sums    TEXT NOT NULL, -- JSON: what was measured of them: lags by bucket, events from the future, how many have each required field
    PRIMARY KEY (source, input, lane, hour)
) STRICT, WITHOUT ROWID;

CREATE INDEX feed_hours_by_hour ON feed_hours (hour, source, input, lane, records);

CREATE TABLE source_standings (
    source   TEXT PRIMARY KEY, -- a source that was judged
    verdict  TEXT NOT NULL, -- how it is
    since    INTEGER, -- since when it is not as it should be
    sentence TEXT NOT NULL, -- what was measured, and what was expected
    alerted  INTEGER NOT NULL CHECK (alerted IN (0, 1)) -- was an alert about ourselves raised that is not taken back?
) STRICT, WITHOUT ROWID;

CREATE TABLE watch (
    id      INTEGER PRIMARY KEY CHECK (id = 1), -- one row
    first   INTEGER NOT NULL, -- when a platform first listened on this store
    started INTEGER NOT NULL, -- when the last one started
    checked INTEGER NOT NULL -- when it last judged the sources
) STRICT;
