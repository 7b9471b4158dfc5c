delete from events where fingerprint = @fingerprint and sequence <= @sequence
