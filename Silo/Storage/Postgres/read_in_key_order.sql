-- Only the key's index returns the first row at once and needs no memory. A sort would first read everything and write
-- it to temporary files. One process, because an export must not take the server's others.
set transaction read only;
set local enable_seqscan = off;
set local enable_bitmapscan = off;
set local enable_sort = off;
set local max_parallel_workers_per_gather = 0;
set local jit = off;
