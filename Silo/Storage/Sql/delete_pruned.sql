delete from pruned where fingerprint = @fingerprint
