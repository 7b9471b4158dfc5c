-- A run's first event names in @follows what it follows: that is in the log, or pruned from its end; where it follows nothing,
-- nothing was pruned. The others name nothing.
insert into events (fingerprint, sequence, id, action, product, created, occurred, properties)
select @fingerprint, @sequence, @id, @action, @product, @created, @occurred, @properties
where @follows is null
   or @follows > 0 and exists (select 1 from events where fingerprint = @fingerprint and sequence = @follows)
   or (select sequence from pruned where fingerprint = @fingerprint) is nullif(@follows, 0)
on conflict do nothing
