-- One change of rules at a time. The number is arbitrary, and stands for rules among advisory locks.
select pg_advisory_xact_lock(7020307)
