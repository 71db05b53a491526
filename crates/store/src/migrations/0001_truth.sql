-- Times are microseconds since the Unix epoch, UTC. Ids are the bytes behind their hexadecimal digits.

CREATE TABLE alerts (
    n               INTEGER PRIMARY KEY, -- short name inside this file
    alert_id        BLOB NOT NULL UNIQUE, -- 16 bytes
    rule_id         TEXT NOT NULL, -- the rule that raised it
    title           TEXT NOT NULL, -- the rule's title
    message         TEXT NOT NULL, -- the reason sentence
    level           INTEGER NOT NULL CHECK (level BETWEEN 1 AND 5), -- 1 informational to 5 critical
    source          TEXT NOT NULL, -- the source of its events
    lane            TEXT NOT NULL, -- live, sample, replay, test, exercise or canary
    state           TEXT NOT NULL, -- open, delivered, received, acknowledged or closed
    fold_digest     BLOB NOT NULL, -- digest of rule, lane and fold values
    fold            TEXT NOT NULL, -- JSON: fold values and window
    findings        INTEGER NOT NULL, -- how many findings it holds
    first_event     INTEGER NOT NULL, -- event time of the finding that opened it
    last_event      INTEGER NOT NULL, -- event time of its latest finding
    received        INTEGER NOT NULL, -- when the first record reached us
    detected        INTEGER NOT NULL, -- when it was raised
    delivered       INTEGER, -- when a receiver's transport first accepted it
    acknowledged    INTEGER, -- when a person acknowledged it
    verdict_at      INTEGER, -- when a person gave a verdict
    entities        TEXT NOT NULL, -- JSON: what it is about
    techniques      TEXT NOT NULL, -- JSON: technique ids
    acknowledged_by TEXT, -- who acknowledged it
    verdict         TEXT, -- the verdict's word
    verdict_by      TEXT, -- who gave it
    verdict_reason  TEXT -- why
) STRICT;

-- Each order of the queue has an index that holds every column a filter reads, so that a page and its filters never leave the index.
CREATE INDEX alerts_by_level ON alerts (level DESC, last_event DESC, n DESC, state, lane, source, rule_id);
CREATE INDEX alerts_by_event ON alerts (last_event DESC, n DESC, state, level, lane, source, rule_id);
CREATE INDEX alerts_by_detected ON alerts (detected DESC, n DESC, state, level, lane, source, rule_id);
CREATE INDEX alerts_to_fold ON alerts (fold_digest, first_event) WHERE state <> 'closed';
CREATE INDEX alerts_unacknowledged ON alerts (detected) WHERE state IN ('open', 'delivered', 'received');

CREATE TABLE alert_counts (
    state   TEXT NOT NULL, -- as in alerts
    level   INTEGER NOT NULL, -- as in alerts
    lane    TEXT NOT NULL, -- as in alerts
    source  TEXT NOT NULL, -- as in alerts
    rule_id TEXT NOT NULL, -- as in alerts
    n       INTEGER NOT NULL, -- how many alerts are so; kept by triggers
    PRIMARY KEY (state, level, lane, source, rule_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER alerts_counted AFTER INSERT ON alerts BEGIN
    INSERT INTO alert_counts VALUES (new.state, new.level, new.lane, new.source, new.rule_id, 1)
        ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER alerts_recounted AFTER UPDATE OF state ON alerts WHEN old.state <> new.state BEGIN
    UPDATE alert_counts SET n = n - 1
        WHERE state = old.state AND level = old.level AND lane = old.lane AND source = old.source AND rule_id = old.rule_id;
    INSERT INTO alert_counts VALUES (new.state, new.level, new.lane, new.source, new.rule_id, 1)
        ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE VIRTUAL TABLE alerts_text USING fts5 (body, content = '', contentless_delete = 1, tokenize = 'trigram');

CREATE TABLE findings (
    n           INTEGER PRIMARY KEY, -- short name inside this file
    finding_id  BLOB NOT NULL UNIQUE, -- 16 bytes; a finding is settled once
    alert_n     INTEGER REFERENCES alerts (n), -- the alert that it opened or joined
    disposition TEXT NOT NULL, -- opened, folded, silenced or kept
    silence_id  TEXT, -- the silence that took it
    rule_id     TEXT NOT NULL, -- the rule
    input       TEXT NOT NULL, -- the input through which its records came
    event_time  INTEGER NOT NULL, -- when it happened
    settled     INTEGER NOT NULL, -- when it was settled
    body        TEXT -- JSON: the whole finding; NULL: left out, with its evidence, beyond the first of its alert or its row in finding_copies
) STRICT;

CREATE INDEX findings_of_alert ON findings (alert_n, event_time) WHERE alert_n IS NOT NULL;
CREATE INDEX findings_by_rule ON findings (rule_id, settled);

CREATE TABLE finding_copies (
    rule_id     TEXT NOT NULL, -- the rule
    disposition TEXT NOT NULL, -- silenced or kept: findings without an alert
    hour        INTEGER NOT NULL, -- the latest hour of settling
    n           INTEGER NOT NULL, -- how many findings were settled in it; the first of them have a body
    PRIMARY KEY (rule_id, disposition)
) STRICT, WITHOUT ROWID;

CREATE TABLE evidence (
    n        INTEGER PRIMARY KEY, -- short name inside this file
    event_id BLOB NOT NULL UNIQUE, -- 16 bytes
    source   TEXT NOT NULL, -- the event's source
    raw      TEXT NOT NULL, -- the redacted record, cut to the limit
    bytes    INTEGER NOT NULL, -- length of the whole redacted record
    sha256   BLOB NOT NULL -- digest of the whole redacted record
) STRICT;

CREATE TABLE finding_events (
    finding_n  INTEGER NOT NULL REFERENCES findings (n), -- the finding
    evidence_n INTEGER NOT NULL REFERENCES evidence (n), -- the record that shows it
    PRIMARY KEY (finding_n, evidence_n)
) STRICT, WITHOUT ROWID;

CREATE TABLE history (
    n       INTEGER PRIMARY KEY, -- order of writing
    alert_n INTEGER NOT NULL REFERENCES alerts (n), -- the alert
    at      INTEGER NOT NULL, -- when; for folds the latest
    kind    TEXT NOT NULL, -- opened, folded, delivered, received, acknowledged or closed
    who     TEXT NOT NULL, -- a person, a route, or watchkeep
    why     TEXT, -- the reason, or what the receiver said
    times   INTEGER NOT NULL DEFAULT 1 -- how often (folds)
) STRICT;

CREATE INDEX history_of_alert ON history (alert_n, at);
CREATE UNIQUE INDEX history_of_folds ON history (alert_n) WHERE kind = 'folded';

CREATE TABLE outbox (
    id        INTEGER PRIMARY KEY AUTOINCREMENT, -- the row's name
    route     TEXT NOT NULL, -- to whom
    alert_n   INTEGER NOT NULL REFERENCES alerts (n), -- about what
    seq       INTEGER NOT NULL, -- place in the order of its alert and route, from 0
    key       TEXT NOT NULL UNIQUE, -- idempotency key, the same over retries and replays
    kind      TEXT NOT NULL, -- alert.opened, alert.acknowledged, alert.closed or alert.recovered
    payload   TEXT NOT NULL, -- JSON: what is sent
    created   INTEGER NOT NULL, -- when it was queued
    next      INTEGER, -- when it is due; NULL until the one before it is delivered
    due_since INTEGER, -- since when it may go: queued, let go by the one before it, or replayed; NULL as long as it may not
    attempts  INTEGER NOT NULL DEFAULT 0, -- tries so far
    state     TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'dead')), -- where it stands
    error     TEXT, -- the last error
    receipt   TEXT, -- what the receiver answered with
    confirmed INTEGER NOT NULL DEFAULT 0, -- 1 once the receiver's system confirmed it
    settled   INTEGER, -- when it was delivered or given up
    UNIQUE (alert_n, route, seq)
) STRICT;

CREATE INDEX outbox_due ON outbox (next, id) WHERE state = 'waiting' AND next IS NOT NULL;
CREATE INDEX outbox_due_on_route ON outbox (route, next, id) WHERE state = 'waiting' AND next IS NOT NULL;
CREATE INDEX outbox_waiting ON outbox (route, created) WHERE state = 'waiting';
CREATE INDEX outbox_dead ON outbox (route, created) WHERE state = 'dead';

CREATE TABLE ledger (
    hour   INTEGER NOT NULL, -- start of the hour of receipt (outbox: of queueing)
    input  TEXT NOT NULL, -- the input; `route:` and the route's name for the outbox
    source TEXT NOT NULL, -- the source; empty while it is not known
    step   TEXT NOT NULL, -- what is counted
    reason TEXT NOT NULL, -- the reject's reason; empty otherwise
    n      INTEGER NOT NULL CHECK (n >= 0), -- how many
    PRIMARY KEY (hour, input, source, step, reason)
) STRICT, WITHOUT ROWID;

CREATE TABLE sightings (
    input         TEXT NOT NULL, -- the input
    source        TEXT NOT NULL, -- the source; empty while it is not known
    last_event    INTEGER, -- the latest event time
    lag_ms        INTEGER, -- receipt of that event less its time
    last_received INTEGER NOT NULL, -- when a record was last received
    ahead         INTEGER NOT NULL, -- how often an event time lay too far after its receipt; it then counts as the tolerance after it
    PRIMARY KEY (input, source)
) STRICT, WITHOUT ROWID;

CREATE TABLE rejects (
    id       INTEGER PRIMARY KEY AUTOINCREMENT, -- the row's name
    input    TEXT NOT NULL, -- the input
    source   TEXT, -- the source, if it was known
    reason   TEXT NOT NULL, -- why
    received INTEGER NOT NULL, -- when it came
    bytes    INTEGER NOT NULL, -- length of the whole record
    sha256   BLOB NOT NULL, -- digest of the whole record
    raw      BLOB -- the record, cut to the limit; NULL once the copies are full
) STRICT;

CREATE INDEX rejects_by_reason ON rejects (input, reason, id);

CREATE TABLE reject_totals (
    input         TEXT NOT NULL, -- the input
    reason        TEXT NOT NULL, -- why
    total         INTEGER NOT NULL, -- how many there were
    with_raw      INTEGER NOT NULL, -- how many have a raw copy
    with_digest   INTEGER NOT NULL, -- how many have a digest only
    rolled        BLOB, -- digest over the digests of the rest, in order
    last_received INTEGER NOT NULL, -- when the latest came
    PRIMARY KEY (input, reason)
) STRICT, WITHOUT ROWID;

CREATE TABLE cursors (
    input TEXT NOT NULL, -- the input
    key   TEXT NOT NULL, -- what is read
    value TEXT NOT NULL, -- how far
    PRIMARY KEY (input, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE silences (
    silence_id TEXT PRIMARY KEY, -- its name
    matches    TEXT NOT NULL, -- JSON: which findings
    owner      TEXT NOT NULL, -- who answers for it
    reason     TEXT NOT NULL, -- why
    created    INTEGER NOT NULL, -- from when
    expires    INTEGER NOT NULL, -- until when
    ended      INTEGER, -- when a person ended it early
    ended_by   TEXT, -- who
    taken      INTEGER NOT NULL DEFAULT 0 -- findings that it took
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    seq      INTEGER PRIMARY KEY, -- place in the chain, from 1
    at       INTEGER NOT NULL, -- when
    who      TEXT NOT NULL, -- who
    action   TEXT NOT NULL, -- what
    subject  TEXT NOT NULL, -- on what
    detail   TEXT NOT NULL, -- JSON: the rest
    payload  BLOB NOT NULL, -- digest of who, action, subject and detail
    previous BLOB NOT NULL, -- digest of the entry before
    digest   BLOB NOT NULL -- digest of this entry
) STRICT;

CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit BEGIN
    SELECT raise(ABORT, 'the audit log only grows');
END;
CREATE TRIGGER audit_undeleted BEFORE DELETE ON audit BEGIN
    SELECT raise(ABORT, 'the audit log only grows');
END;
