-- One row: the salt of the newest day. Overwriting it leaves the old one in a dead row, which a vacuum right after, and
-- not after the usual fifty, removes from the file.
create table daily_salts (
    id   smallint primary key check (id = 1),
    day  date not null,
    salt bytea not null
) with (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0);
