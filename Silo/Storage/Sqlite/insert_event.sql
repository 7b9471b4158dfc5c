-- For a run's first event, @follows is the sequence that the run follows: it must be in the log, or be the last pruned
-- one. 0 means that the run follows nothing, and needs that nothing was pruned. For the other events @follows is null.
insert into events (fingerprint, sequence, id, action, product, created, occurred, properties, dimensions, rules, matched)
select @fingerprint, @sequence, @id, @action, @product, @created, @occurred, @properties, @dimensions, @rules, @matched
where @follows is null
   or @follows > 0 and exists (select 1 from events where fingerprint = @fingerprint and sequence = @follows)
   or (select sequence from pruned where fingerprint = @fingerprint) is nullif(@follows, 0)
on conflict do nothing
