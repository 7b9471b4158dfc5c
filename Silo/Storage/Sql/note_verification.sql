update verifications
set seen = @seen, ended = @ended, progress = @progress, events = @events, fingerprints = @fingerprints,
    differences = @differences, found = @found, reason = @reason
where id = @id and ended is null
returning id
