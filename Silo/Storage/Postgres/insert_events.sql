-- All, or an error: each run ($9 to $11: its fingerprint, the sequence that it follows, the removals that its writer knows of) needs
-- what it follows in the log, or pruned from its end; a first one needs that nothing was pruned. Nothing of that can be missing where
-- there was no removal since, and where none knows of fewer than $12, no run is looked at. Subqueries and not joins, so that it is
-- a probe a run whatever the planner knows of the table. Where one does not follow, a division by zero ends the transaction.
insert into events (fingerprint, sequence, id, action, product, created, occurred, properties)
select * from unnest($1::text[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::json[])
where case when (select number from removals) = $12 then true else 1 / (not exists (
    select from unnest($9::text[], $10::bigint[], $11::bigint[]) as run (fingerprint, follows, removals)
    where run.removals <> (select number from removals)
      and (run.follows = 0 or (
            select e.sequence from events e where e.fingerprint = run.fingerprint and e.sequence = run.follows) is null)
      and (select p.sequence from pruned p where p.fingerprint = run.fingerprint) is distinct from nullif(run.follows, 0)
))::int = 1 end
