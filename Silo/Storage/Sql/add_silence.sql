-- A rule about all fingerprints waits under the empty one, which no event has.
insert into rule_deadlines (fingerprint, rule, sequence, occurred, due)
values ('', @rule, @sequence, @occurred, @due)
