-- The event log: the record, from which all else can be rebuilt. It is clustered by its key. Times are ISO 8601 text in
-- UTC with microseconds, and ids are text: any SQLite shell can read them, and they sort correctly.
create table events (
    fingerprint text not null,
    sequence    integer not null,
    id          text not null,
    action      text not null,
    product     text not null,
    created     text not null,
    occurred    text not null,
    properties  text,
    dimensions  integer, -- the dimension set that counts its properties
    rules       integer, -- the set of rules by which it was decided; null while there was none
    matched     text, -- which clauses of these rules it matches: a JSON array of [rule, clauses]; null for none
    primary key (fingerprint, sequence),
    unique (fingerprint, id)
) strict, without rowid;

-- Which versions of the program can serve this database: those that know this migration. A migration that only adds
-- leaves it. One that removes or changes what an earlier version uses names the first that no longer needs it.
create table compatibility (
    id        integer primary key check (id = 1),
    migration text not null
) strict;

insert into compatibility values (1, '0002_orleans');

-- The time zone of all days and hours below. The first start writes it.
create table time_zone (
    id   integer primary key check (id = 1),
    name text not null
) strict;

-- Counts by minute, product and action, over all fingerprints.
create table rollups (
    minute                     text not null,
    product                    text not null,
    action                     text not null,
    events                     integer not null,
    new_fingerprints           integer not null,
    new_product_fingerprints   integer not null,
    daily_fingerprints         integer not null,
    daily_product_fingerprints integer not null,
    primary key (minute, product, action)
) strict, without rowid;

-- Commits append here. The merge moves these rows into rollups and rollup_hours.
create table rollup_deltas (
    id                         integer primary key,
    minute                     text not null,
    hour                       text not null,
    day                        text not null,
    product                    text not null,
    action                     text not null,
    events                     integer not null,
    new_fingerprints           integer not null,
    new_product_fingerprints   integer not null,
    daily_fingerprints         integer not null,
    daily_product_fingerprints integer not null
) strict;

-- The same counts by hour, for questions about months. An hour is one on the time zone's clocks, so part of one day.
create table rollup_hours (
    hour                       text not null,
    day                        text not null,
    product                    text not null,
    action                     text not null,
    events                     integer not null,
    new_fingerprints           integer not null,
    new_product_fingerprints   integer not null,
    daily_fingerprints         integer not null,
    daily_product_fingerprints integer not null,
    primary key (hour, product, action)
) strict, without rowid;

-- For questions about one product.
create index rollup_hours_product_idx on rollup_hours (product, hour);

-- What events that were removed from the log gave the rollups, which keep it. A proof adds it to the fold of the log.
-- It names no fingerprint.
create table removed_rollups (
    minute                     text not null,
    product                    text not null,
    action                     text not null,
    events                     integer not null,
    new_fingerprints           integer not null,
    new_product_fingerprints   integer not null,
    daily_fingerprints         integer not null,
    daily_product_fingerprints integer not null,
    primary key (minute, product, action)
) strict, without rowid;

-- Each pair of product and action, with its merged events: totals without reading all minutes. The merge adds the
-- pairs, and the process reads the new ones, to bound their number.
create table counters (
    id      integer primary key,
    product text not null,
    action  text not null,
    events  integer not null,
    unique (product, action)
) strict;

-- One row for each day on which a fingerprint used a product.
create table visits (
    day         text not null,
    product     text not null,
    fingerprint text not null,
    events      integer not null,
    first_seen  text not null,
    last_seen   text not null,
    primary key (day, product, fingerprint)
) strict, without rowid;

-- Each commit appends one row, which the merge adds to visits: a JSON array of [day, fingerprint, product, events,
-- first, last].
create table visit_deltas (
    id      integer primary key,
    is_told integer not null default 0, -- the feed has its events
    visits  text not null
) strict;

-- Until when somebody watches the events of all fingerprints, in seconds of Unix time. While that is so, each merge of
-- visits tells the feed which events are new: so many at most.
create table feed_watch (
    id         integer primary key check (id = 1),
    until      integer not null,
    events_max integer not null
) strict;

insert into feed_watch values (1, 0, 0);

-- The news of the last minutes, in the order in which they are told. A row has a fingerprint and its new events, or how
-- many events no row names, or a rule that the clock made fire.
create table feed (
    id             integer primary key,
    told           integer not null,
    fingerprint    text,
    first_sequence integer,
    last_sequence  integer,
    skipped        integer not null,
    rule           integer
) strict;

-- Which properties were counted by their values: comma-separated names. An event has the number of its set.
create table dimension_sets (
    id    integer primary key,
    names text not null unique
) strict;

-- Counts by day, product, dimension and value. Only the merge adds values, so that it can bound their number: the
-- empty value has what came after the last one that fits. The removed part is what events that left the log gave, and
-- fingerprints that were erased.
create table dimension_values (
    id                   integer primary key,
    product              text not null,
    dimension            text not null,
    day                  text not null,
    value                text not null,
    events               integer not null,
    fingerprints         integer not null,
    removed_events       integer not null default 0,
    removed_fingerprints integer not null default 0,
    unique (product, dimension, day, value)
) strict;

-- Which fingerprints had which value, so that each is counted once a day. A value's number also says the product, the
-- dimension and the day. The day comes first in the key, so that rows of one day lie together.
create table dimension_visits (
    day         text not null,
    fingerprint text not null,
    value       integer not null,
    primary key (day, fingerprint, value)
) strict, without rowid;

-- Each commit appends one row, if its events have dimensions, which the merge adds to both tables: a JSON array of [day,
-- product, dimension, value, events, fingerprints]. The fingerprints are an array of those that have the value perhaps
-- for the first time on its day.
create table dimension_deltas (
    id     integer primary key,
    counts text not null
) strict;

-- Funnels that are kept by name: their steps are JSON. The past is folded up to the fingerprint filled_to; once all is,
-- there is none. A funnel that was removed or replaced has no name, until its rows below are gone.
create table funnels (
    id             integer primary key,
    name           text unique,
    steps          text not null,
    product        text,
    within_minutes integer not null,
    filled_to      text
) strict;

-- Of the attempts that a fingerprint began on a day, the one that counts: how many steps it got, when it got to the last
-- one and with which event. The times are a JSON array of microseconds from the first step to each one.
create table funnel_visits (
    funnel      integer not null,
    day         text not null,
    fingerprint text not null,
    steps       integer not null,
    reached     text not null,
    sequence    integer not null,
    times       text not null,
    primary key (funnel, day, fingerprint)
) strict, without rowid;

-- Fingerprints to be folded anew. The merge of visits adds them if a funnel is kept.
create table funnel_changes (
    id          integer primary key,
    fingerprint text not null
) strict;

-- What a fingerprint's pruned events add up to, from the first one to this sequence: a serialized state, as in a
-- snapshot, and as durable as the log.
create table pruned (
    fingerprint text not null primary key,
    sequence    integer not null,
    state       blob not null
) strict, without rowid;

-- Fingerprints whose events are refused: the HMAC-SHA-256 of each. The key is made here, and is kept nowhere else.
create table suppressions (
    hash blob not null primary key
) strict, without rowid;

create table suppression_key (
    id  integer primary key check (id = 1),
    key blob not null
) strict;

insert into suppression_key values (1, randomblob(32));

-- The salt of the newest day, in one row. A new salt has the same size and overwrites the old one in its place.
create table daily_salts (
    id   integer primary key check (id = 1),
    day  text not null,
    salt blob not null
) strict;

-- What happened at a time, for those who look at the counts. The empty product stands for all.
create table annotations (
    time    text not null,
    product text not null,
    text    text not null,
    primary key (time, product)
) strict, without rowid;

-- The keys that protect the cookies of people's sessions, as ASP.NET writes them.
create table session_keys (
    name text not null primary key,
    xml  text not null
) strict, without rowid;

-- Links that show one product's counts to people without a key. The hash is that of a link's token, kept nowhere else.
create table shares (
    name    text not null primary key,
    product text not null,
    hash    blob not null unique,
    created text not null
) strict, without rowid;

-- Proofs that people asked for, the newest and the last that held. A row that has not ended and was not seen for some
-- time is of a silo that died. The differences that were found are text, one a line.
create table verifications (
    id           integer primary key,
    silo         text not null,
    begun        text not null,
    seen         text not null,
    ended        text,
    progress     real not null default 0,
    events       integer not null default 0,
    fingerprints integer not null default 0,
    differences  integer,
    found        text not null default '',
    reason       text
) strict;

-- One at a time.
create unique index verifications_running on verifications ((1)) where ended is null;

-- Each version of each rule, as JSON. It never changes but for its end. One that has not ended is in force.
create table rules (
    id         integer primary key,
    name       text not null,
    version    integer not null,
    definition text not null,
    begun      text not null,
    ended      text,
    disabled   text, -- its receiver wants no more
    unique (name, version)
) strict;

create unique index rules_in_force on rules (name) where ended is null;

-- Which rules were in force together: their ids in their order, comma-separated. Each change makes a new one, also if
-- the same rules were in force before. So a later set has a higher number, and a fingerprint's sets never go back.
create table rule_sets (
    id    integer primary key,
    rules text not null
) strict;

-- What rules did, recorded with the event that made them do it. The clock's have a head: the fingerprint's newest event
-- as of that moment. A row that a webhook has still to tell is pending.
create table firings (
    rule         integer not null,
    fingerprint  text not null,
    sequence     integer not null,
    occurred     text not null,
    fired        text not null default (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
    head         integer,
    state        text not null, -- recorded, pending, delivered or parked
    attempts     integer not null default 0,
    next_attempt text,
    ended        text,
    status       integer,
    problem      text,
    primary key (fingerprint, rule, sequence)
) strict, without rowid;

-- From one rule to the next, and those of a rule by when they are due.
create index firings_pending on firings (rule, next_attempt) where state = 'pending';

-- Earlier and later ones of a fingerprint, if one waits for the other.
create index firings_waiting on firings (fingerprint, sequence) where state = 'pending';

-- For a list of the newest.
create index firings_fired on firings (fired, fingerprint, rule, sequence);

-- What signs a rule's requests. Several at once while one replaces another.
create table rule_secrets (
    id      integer primary key,
    name    text not null,
    secret  blob not null,
    created text not null,
    expires text
) strict;

create index rule_secrets_name on rule_secrets (name);

-- Events that another one has still to follow, if a rule is not to fire: until when.
create table rule_deadlines (
    fingerprint text not null,
    rule        integer not null,
    sequence    integer not null,
    occurred    text not null,
    due         text not null,
    primary key (fingerprint, rule, sequence)
) strict, without rowid;

create index rule_deadlines_due on rule_deadlines (due);
