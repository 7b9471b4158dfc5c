-- The rows stay, because readers know their numbers.
update feed set fingerprint = null, first_sequence = null, last_sequence = null where fingerprint = @fingerprint
