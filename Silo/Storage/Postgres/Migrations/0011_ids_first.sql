-- An id that a front end makes begins with its time. With the id first, the index grows at its end, and two keys are told apart
-- without their fingerprints. It still has the column by which the table can be partitioned.
alter table events drop constraint events_id_key;
alter table events add constraint events_id_key unique (id, fingerprint);
