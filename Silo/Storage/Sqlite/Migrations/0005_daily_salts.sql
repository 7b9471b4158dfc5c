-- One row: the salt of the newest day. Another of the same size is written over it, in its place.
create table daily_salts (
    id   integer primary key check (id = 1),
    day  text not null,
    salt blob not null
) strict;
