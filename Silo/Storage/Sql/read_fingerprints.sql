-- Jumps from each fingerprint to the next by the log's key, and reads nothing between.
with recursive found (fingerprint) as (
    select min(fingerprint) from events where fingerprint > @after
    union all
    select (select min(e.fingerprint) from events e where e.fingerprint > found.fingerprint)
    from found where found.fingerprint is not null
)
select fingerprint from found where fingerprint is not null limit @limit
