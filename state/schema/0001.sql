-- Times are unix milliseconds. A body is the JSON of the whole thing; the
-- columns beside it are copies that queries need.

CREATE TABLE meta (
    one             INTEGER PRIMARY KEY CHECK (one = 1),
    lineage         TEXT    NOT NULL,
    secret          BLOB    NOT NULL,
    simulated       INTEGER,          -- null until the first connection
    next_id         INTEGER NOT NULL, -- reservation ids
    next_connection INTEGER NOT NULL
) STRICT;

CREATE TABLE workspace (
    name   TEXT    PRIMARY KEY,
    serial INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Workspaces that take no proposals; '*' stands for all. A freeze that has run
-- out stays until it is lifted or another takes its place.
CREATE TABLE frozen (
    workspace TEXT PRIMARY KEY,
    body      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE wanted (
    workspace      TEXT    NOT NULL,
    address        TEXT    NOT NULL,
    station_id     TEXT    NOT NULL,
    hash           TEXT    NOT NULL,
    evse           INTEGER NOT NULL,
    connector_type TEXT    NOT NULL,
    start          INTEGER NOT NULL,
    expiry         INTEGER NOT NULL,
    recurs         INTEGER NOT NULL, -- it has a schedule: its window is that of when it was stored
    body           TEXT    NOT NULL,
    PRIMARY KEY (workspace, address)
) STRICT;

CREATE TABLE station (
    id     TEXT    PRIMARY KEY,
    serial INTEGER NOT NULL,
    body   TEXT    NOT NULL
) STRICT;

CREATE TABLE station_declaration (
    workspace TEXT NOT NULL,
    address   TEXT NOT NULL,
    id        TEXT NOT NULL,
    hash      TEXT NOT NULL,
    body      TEXT NOT NULL,
    PRIMARY KEY (workspace, address)
) STRICT;

-- No column has a hash of a token: it could be guessed back.
CREATE TABLE token_declaration (
    workspace TEXT NOT NULL,
    address   TEXT NOT NULL,
    body      TEXT NOT NULL,
    PRIMARY KEY (workspace, address)
) STRICT;

CREATE TABLE occurrence (
    workspace      TEXT    NOT NULL,
    address        TEXT    NOT NULL,
    station_id     TEXT    NOT NULL,
    start          INTEGER NOT NULL,
    phase          TEXT    NOT NULL,
    reason         TEXT    NOT NULL,
    active         INTEGER NOT NULL,
    due            INTEGER NOT NULL,
    expiry         INTEGER NOT NULL,
    reservation_id INTEGER NOT NULL, -- 0: none may be at the station
    evse           INTEGER NOT NULL,
    connector_type TEXT    NOT NULL,
    since          INTEGER NOT NULL,
    ever_held      INTEGER NOT NULL,
    moving         INTEGER NOT NULL,
    body           TEXT    NOT NULL,
    PRIMARY KEY (workspace, address, station_id, start)
) STRICT;

-- A loop's book is what is open, and what is scheduled and has come due. Both
-- are found without passing what is over or far ahead.
CREATE INDEX occurrence_open ON occurrence (station_id) WHERE active = 1 AND phase <> 'scheduled';
CREATE INDEX occurrence_due ON occurrence (station_id, due) WHERE phase = 'scheduled';

-- Every id that was ever used, and for what.
CREATE TABLE ids (
    reservation_id INTEGER PRIMARY KEY CHECK (reservation_id > 0 AND reservation_id < 2147483648),
    station_id     TEXT    NOT NULL,
    workspace      TEXT    NOT NULL,
    address        TEXT    NOT NULL,
    start          INTEGER NOT NULL
) STRICT;

CREATE TABLE journal (
    seq            INTEGER PRIMARY KEY AUTOINCREMENT,
    at             INTEGER NOT NULL,
    kind           TEXT    NOT NULL,
    station_id     TEXT    NOT NULL,
    workspace      TEXT    NOT NULL,
    address        TEXT    NOT NULL,
    reservation_id INTEGER NOT NULL,
    body           TEXT    NOT NULL
) STRICT;

CREATE INDEX journal_station ON journal (station_id) WHERE station_id <> '';
CREATE INDEX journal_address ON journal (workspace, address) WHERE address <> '';

-- Where a replay may begin: after line seq the books were those of the snapshot,
-- and what follows was folded with these rules.
CREATE TABLE checkpoint (
    seq   INTEGER PRIMARY KEY,
    at    INTEGER NOT NULL,
    rules INTEGER NOT NULL,
    cut   INTEGER NOT NULL -- the journal begins after it
) STRICT;

-- A body that was so at the checkpoints from first on, up to, but not at, gone.
-- A station's own has no workspace, no address, and the start 0.
CREATE TABLE snapshot (
    workspace  TEXT    NOT NULL,
    address    TEXT    NOT NULL,
    station_id TEXT    NOT NULL,
    start      INTEGER NOT NULL,
    first      INTEGER NOT NULL,
    gone       INTEGER, -- null: at the latest checkpoint it was still so
    body       TEXT    NOT NULL,
    PRIMARY KEY (workspace, address, station_id, start, first)
) STRICT;
