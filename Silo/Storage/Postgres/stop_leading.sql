select pg_advisory_unlock(7020305)
