select state from pruned where fingerprint = @fingerprint
