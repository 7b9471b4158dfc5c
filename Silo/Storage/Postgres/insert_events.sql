-- Inserts all events or fails. $9 to $11 describe the runs: the fingerprint, the sequence that the run follows, and the
-- removal epoch that its writer knows. What a run follows must be in the log, or be the last pruned event. A
-- fingerprint's first run needs that nothing was pruned. None of this can be missing if nothing was removed since. So
-- if even the oldest known epoch, $12, is the present one, no run is checked. The checks are subqueries and not joins,
-- so that each is one index probe, whatever statistics the planner has. If a run does not follow, a division by zero
-- ends the transaction.
insert into events (fingerprint, sequence, id, action, product, created, occurred, properties)
select * from unnest($1::text[], $2::bigint[], $3::uuid[], $4::text[], $5::text[],
    $6::timestamptz[], $7::timestamptz[], $8::json[])
where case when (select epoch from removal_epoch) = $12 then true else 1 / (not exists (
    select from unnest($9::text[], $10::bigint[], $11::bigint[]) as run (fingerprint, follows, epoch)
    where run.epoch <> (select epoch from removal_epoch)
      and (run.follows = 0 or (
            select e.sequence from events e where e.fingerprint = run.fingerprint and e.sequence = run.follows) is null)
      and (select p.sequence from pruned p where p.fingerprint = run.fingerprint) is distinct from nullif(run.follows, 0)
))::int = 1 end
