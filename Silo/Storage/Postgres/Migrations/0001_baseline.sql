-- The event log: the record, from which all else can be rebuilt. Every key and index has the fingerprint in it, so that
-- the table can be partitioned or distributed by fingerprint. collate "C" compares bytes: it is faster, and a proof
-- reads several tables side by side in that order.
create table events (
    fingerprint text collate "C" not null,
    sequence    bigint not null,
    id          uuid not null,
    action      text collate "C" not null,
    product     text collate "C" not null,
    created     timestamptz not null,
    occurred    timestamptz not null,
    properties  json, -- not jsonb: json keeps the text, which is compared with a repeat's, and takes all valid JSON
    dimensions  smallint, -- the dimension set that counts its properties
    rules       integer, -- the set of rules by which it was decided; null while there was none
    matched     text, -- which clauses of these rules it matches: a JSON array of [rule, clauses]; null for none
    constraint events_pkey primary key (fingerprint, sequence),
    -- Most ids begin with their time. With the id first, the index grows at its end, and most comparisons end at the
    -- id.
    constraint events_id_key unique (id, fingerprint)
);

-- Which versions of the program can serve this database: those that know this migration. A migration that only adds
-- leaves it. One that removes or changes what an earlier version uses names the first that no longer needs it.
create table compatibility (
    id        smallint primary key check (id = 1),
    migration text not null
);

insert into compatibility values (1, '0002_orleans');

-- The time zone of all days and hours below. The first start writes it.
create table time_zone (
    id   smallint primary key check (id = 1),
    name text not null
);

-- Counts by minute, product and action, over all fingerprints.
create table rollups (
    minute                     timestamptz not null,
    product                    text collate "C" not null,
    action                     text collate "C" not null,
    events                     bigint not null,
    new_fingerprints           bigint not null,
    new_product_fingerprints   bigint not null,
    daily_fingerprints         bigint not null,
    daily_product_fingerprints bigint not null,
    constraint rollups_pkey primary key (minute, product, action)
);

-- Commits append here. The merge moves these rows into rollups and rollup_hours. The only key is the row's own number,
-- so that no two silos ever wait for the same row.
create table rollup_deltas (
    id                         bigint generated always as identity primary key,
    minute                     timestamptz not null,
    hour                       timestamptz not null,
    day                        date not null,
    product                    text collate "C" not null,
    action                     text collate "C" not null,
    events                     bigint not null,
    new_fingerprints           bigint not null,
    new_product_fingerprints   bigint not null,
    daily_fingerprints         bigint not null,
    daily_product_fingerprints bigint not null
);

-- The same counts by hour, for questions about months. An hour is one on the time zone's clocks, so part of one day.
create table rollup_hours (
    hour                       timestamptz not null,
    day                        date not null,
    product                    text collate "C" not null,
    action                     text collate "C" not null,
    events                     bigint not null,
    new_fingerprints           bigint not null,
    new_product_fingerprints   bigint not null,
    daily_fingerprints         bigint not null,
    daily_product_fingerprints bigint not null,
    constraint rollup_hours_pkey primary key (hour, product, action)
);

-- For questions about one product. A row is inserted once an hour; its later updates touch no index.
create index rollup_hours_product_idx on rollup_hours (product, hour);

-- What events that were removed from the log gave the rollups, which keep it. A proof adds it to the fold of the log.
-- It names no fingerprint.
create table removed_rollups (
    minute                     timestamptz not null,
    product                    text collate "C" not null,
    action                     text collate "C" not null,
    events                     bigint not null,
    new_fingerprints           bigint not null,
    new_product_fingerprints   bigint not null,
    daily_fingerprints         bigint not null,
    daily_product_fingerprints bigint not null,
    constraint removed_rollups_pkey primary key (minute, product, action)
);

-- Each pair of product and action, with its merged events: totals without reading all minutes. The merge adds the
-- pairs, and every silo reads the new ones, to bound their number.
create table counters (
    id      bigint generated always as identity primary key,
    product text collate "C" not null,
    action  text collate "C" not null,
    events  bigint not null,
    constraint counters_product_action_key unique (product, action)
);

-- One row for each day on which a fingerprint used a product. The key is the only index, and each page has free
-- space, so that updates of today's rows touch no index.
create table visits (
    day         date not null,
    product     text collate "C" not null,
    fingerprint text collate "C" not null,
    events      bigint not null,
    first_seen  timestamptz not null,
    last_seen   timestamptz not null,
    constraint visits_pkey primary key (day, product, fingerprint)
) with (fillfactor = 85);

-- Each commit appends one row, which the merge adds to visits.
create table visit_deltas (
    id           bigint generated always as identity primary key,
    days         date[] not null,
    fingerprints text[] not null,
    products     text[] not null,
    events       integer[] not null,
    firsts       timestamptz[] not null,
    lasts        timestamptz[] not null,
    is_told      boolean not null default false -- the feed has its events
);

-- Not compressed: the commit would wait for it.
alter table visit_deltas
    alter column days set storage external,
    alter column fingerprints set storage external,
    alter column products set storage external,
    alter column events set storage external,
    alter column firsts set storage external,
    alter column lasts set storage external;

-- Until when somebody watches the events of all fingerprints. While that is so, each merge of visits tells the feed
-- which events are new: so many at most.
create table feed_watch (
    id         smallint primary key check (id = 1),
    until      timestamptz not null,
    events_max integer not null
);

insert into feed_watch values (1, '-infinity', 0);

-- The news of the last minutes, in the order in which all silos tell them. The key is in the order of the commits,
-- because merges take turns. A row has a fingerprint and its new events, or how many events no row names, or a rule
-- that the clock made fire.
create table feed (
    id             bigint generated always as identity primary key,
    told           timestamptz not null,
    fingerprint    text collate "C",
    first_sequence bigint,
    last_sequence  bigint,
    skipped        bigint not null,
    rule           integer
);

-- Which properties were counted by their values: comma-separated names. An event has the number of its silo's set.
create table dimension_sets (
    id    smallint generated always as identity primary key,
    names text collate "C" not null,
    constraint dimension_sets_names_key unique (names)
);

-- Counts by day, product, dimension and value. Only the merge adds values, so that it can bound their number: the
-- empty value has what came after the last one that fits. The removed part is what events that left the log gave, and
-- fingerprints that were erased.
create table dimension_values (
    id                   bigint generated always as identity primary key,
    product              text collate "C" not null,
    dimension            text collate "C" not null,
    day                  date not null,
    value                text collate "C" not null,
    events               bigint not null,
    fingerprints         bigint not null,
    removed_events       bigint not null default 0,
    removed_fingerprints bigint not null default 0,
    constraint dimension_values_product_key unique (product, dimension, day, value)
) with (fillfactor = 85);

-- Which fingerprints had which value, so that each is counted once a day. A value's number also says the product, the
-- dimension and the day. The day comes first in the key, so that rows of one day lie together.
create table dimension_visits (
    value       bigint not null,
    day         date not null,
    fingerprint text collate "C" not null,
    constraint dimension_visits_pkey primary key (day, fingerprint, value)
);

-- Each commit appends one row, if its events have dimensions. The merge adds it to both tables: the events of each
-- value, and which fingerprints have one of these values, named by its place, perhaps for the first time on its day.
create table dimension_deltas (
    id           bigint generated always as identity primary key,
    days         date[] not null,
    products     text[] not null,
    dimensions   text[] not null,
    "values"     text[] not null,
    events       integer[] not null,
    fingerprints text[] not null,
    places       integer[] not null
);

alter table dimension_deltas
    alter column days set storage external,
    alter column products set storage external,
    alter column dimensions set storage external,
    alter column "values" set storage external,
    alter column events set storage external,
    alter column fingerprints set storage external,
    alter column places set storage external;

-- Funnels that are kept by name: their steps are JSON. The past is folded up to the fingerprint filled_to; once all is,
-- there is none. A funnel that was removed or replaced has no name, until its rows below are gone.
create table funnels (
    id             integer generated always as identity primary key,
    name           text collate "C",
    steps          text not null,
    product        text collate "C",
    within_minutes integer not null,
    filled_to      text collate "C",
    constraint funnels_name_key unique (name)
);

-- Of the attempts that a fingerprint began on a day, the one that counts: how many steps it got, when it got to the last
-- one and with which event. The times are a JSON array of microseconds from the first step to each one.
create table funnel_visits (
    funnel      integer not null,
    day         date not null,
    fingerprint text collate "C" not null,
    steps       integer not null,
    reached     timestamptz not null,
    sequence    bigint not null,
    times       text not null,
    constraint funnel_visits_pkey primary key (funnel, day, fingerprint)
) with (fillfactor = 85);

-- Fingerprints to be folded anew. The merge of visits adds them if a funnel is kept.
create table funnel_changes (
    id          bigint generated always as identity primary key,
    fingerprint text collate "C" not null
);

-- What a fingerprint's pruned events add up to, from the first one to this sequence: a serialized state, as in a
-- snapshot, and as durable as the log.
create table pruned (
    fingerprint text collate "C" not null,
    sequence    bigint not null,
    state       bytea not null,
    constraint pruned_pkey primary key (fingerprint)
);

-- How many erasures and prunings there were. A writer that knows the present number need not check that the event
-- before its own is still in the log.
create table removal_epoch (
    id    smallint primary key check (id = 1),
    epoch bigint not null
);

insert into removal_epoch values (1, 0);

-- Fingerprints whose events are refused: the HMAC-SHA-256 of each. The key is made here, and is kept nowhere else.
create table suppressions (
    hash bytea not null,
    constraint suppressions_pkey primary key (hash)
);

create table suppression_key (
    id  smallint primary key check (id = 1),
    key bytea not null
);

insert into suppression_key values (1, sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));

-- The salt of the newest day, in one row. An overwritten salt stays in a dead row until the next vacuum, which comes
-- after one dead row here, and not after fifty.
create table daily_salts (
    id   smallint primary key check (id = 1),
    day  date not null,
    salt bytea not null
) with (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0);

-- What happened at a time, for those who look at the counts. The empty product stands for all.
create table annotations (
    time    timestamptz not null,
    product text collate "C" not null,
    text    text not null,
    constraint annotations_pkey primary key (time, product)
);

-- The keys that protect the cookies of people's sessions, as ASP.NET writes them.
create table session_keys (
    name text not null,
    xml  text not null,
    constraint session_keys_pkey primary key (name)
);

-- Links that show one product's counts to people without a key. The hash is that of a link's token, kept nowhere else.
create table shares (
    name    text collate "C" not null,
    product text collate "C" not null,
    hash    bytea not null,
    created timestamptz not null,
    constraint shares_pkey primary key (name),
    constraint shares_hash_key unique (hash)
);

-- Proofs that people asked for, the newest and the last that held. A row that has not ended and was not seen for some
-- time is of a silo that died. The differences that were found are text, one a line.
create table verifications (
    id           bigint generated always as identity primary key,
    silo         text not null,
    begun        timestamptz not null,
    seen         timestamptz not null,
    ended        timestamptz,
    progress     double precision not null default 0,
    events       bigint not null default 0,
    fingerprints bigint not null default 0,
    differences  bigint,
    found        text not null default '',
    reason       text
);

-- One at a time.
create unique index verifications_running on verifications ((1)) where ended is null;

-- Each version of each rule, as JSON. It never changes but for its end. One that has not ended is in force.
create table rules (
    id         integer generated always as identity primary key,
    name       text collate "C" not null,
    version    integer not null,
    definition text not null,
    begun      timestamptz not null,
    ended      timestamptz,
    disabled   timestamptz, -- its receiver wants no more
    constraint rules_name_key unique (name, version)
);

create unique index rules_in_force on rules (name) where ended is null;

-- Which rules were in force together: their ids in their order, comma-separated. Each change makes a new one, also if
-- the same rules were in force before. So a later set has a higher number, and a fingerprint's sets never go back.
create table rule_sets (
    id    integer generated always as identity primary key,
    rules text not null
);

-- What rules did, recorded with the event that made them do it. The clock's have a head: the fingerprint's newest event
-- as of that moment. A row that a webhook has still to tell is pending.
create table firings (
    rule         integer not null,
    fingerprint  text collate "C" not null,
    sequence     bigint not null,
    occurred     timestamptz not null,
    fired        timestamptz not null default statement_timestamp(),
    head         bigint,
    state        text not null, -- recorded, pending, delivered or parked
    attempts     integer not null default 0,
    next_attempt timestamptz,
    ended        timestamptz,
    status       integer,
    problem      text,
    constraint firings_pkey primary key (fingerprint, rule, sequence)
);

-- From one rule to the next, and those of a rule by when they are due.
create index firings_pending on firings (rule, next_attempt) where state = 'pending';

-- Earlier and later ones of a fingerprint, if one waits for the other.
create index firings_waiting on firings (fingerprint, sequence) where state = 'pending';

-- For a list of the newest.
create index firings_fired on firings (fired, fingerprint, rule, sequence);

-- What signs a rule's requests. Several at once while one replaces another.
create table rule_secrets (
    id      integer generated always as identity primary key,
    name    text collate "C" not null,
    secret  bytea not null,
    created timestamptz not null,
    expires timestamptz
);

create index rule_secrets_name on rule_secrets (name);

-- Events that another one has still to follow, if a rule is not to fire: until when.
create table rule_deadlines (
    fingerprint text collate "C" not null,
    rule        integer not null,
    sequence    bigint not null,
    occurred    timestamptz not null,
    due         timestamptz not null,
    constraint rule_deadlines_pkey primary key (fingerprint, rule, sequence)
);

create index rule_deadlines_due on rule_deadlines (due);
