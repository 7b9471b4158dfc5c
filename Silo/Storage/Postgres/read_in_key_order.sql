-- Of the ways to the same rows, only the key's index gives the first at once and needs no memory: a sort would read all,
-- and write it to temporary files, before it gave one. One process, since no other part of the server's is an export's.
set transaction read only;
set local enable_seqscan = off;
set local enable_bitmapscan = off;
set local enable_sort = off;
set local max_parallel_workers_per_gather = 0;
set local jit = off;
