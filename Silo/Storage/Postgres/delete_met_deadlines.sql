-- Waits for a clock that has taken the same one, which then has fired.
delete from rule_deadlines d
using unnest($1::integer[], $2::text[], $3::bigint[]) as met (rule, fingerprint, sequence)
where d.fingerprint = met.fingerprint and d.rule = met.rule and d.sequence = met.sequence
