-- Inserts all events or fails. $9 to $12 describe the runs: the fingerprint, the sequence that the run follows, the
-- removal epoch that its writer knows, and whether its writer has not read the log. What a run follows must be in the
-- log, or be the last pruned event. A fingerprint's first run needs that nothing was pruned, and if its writer has not
-- read the log, that nothing is suppressed. None of this can fail if nothing was removed since. So if even the oldest
-- known epoch, $13, is the present one, no run is checked. The checks are subqueries and not joins, so that each is one
-- index probe, whatever statistics the planner has. If a run does not follow, a division by zero ends the transaction.
-- $14 is the dimension set. $15 and $16 are empty while there are no rules, and are padded with nulls.
insert into events (fingerprint, sequence, id, action, product, created, occurred, properties, rules, matched, dimensions)
select one.*, case when one.properties is not null then $14::smallint end
from unnest($1::text[], $2::bigint[], $3::uuid[], $4::text[], $5::text[],
        $6::timestamptz[], $7::timestamptz[], $8::json[], $15::integer[], $16::text[])
    as one (fingerprint, sequence, id, action, product, created, occurred, properties, rules, matched)
where case when (select epoch from removal_epoch) = $13 then true else 1 / (not exists (
    select from unnest($9::text[], $10::bigint[], $11::bigint[], $12::boolean[])
        as run (fingerprint, follows, epoch, is_unread)
    where run.epoch <> (select epoch from removal_epoch)
      and (run.is_unread and exists (select from suppressions)
        or (run.follows = 0 or (
              select e.sequence from events e where e.fingerprint = run.fingerprint and e.sequence = run.follows) is null)
          and (select p.sequence from pruned p where p.fingerprint = run.fingerprint)
              is distinct from nullif(run.follows, 0))
))::int = 1 end
