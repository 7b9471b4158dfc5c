-- Umami's events with their sessions and their own properties, in the order in which they happened. As JSON, because
-- Umami's versions have different columns. A session's distinct_id may change later, so it is not the events'.
select
    (coalesce(to_jsonb(visitor) - 'distinct_id', '{}') || jsonb_strip_nulls(to_jsonb(happened)))::text,
    own.properties::text
from website_event happened
left join session visitor on visitor.session_id = happened.session_id
left join lateral (
    select
        jsonb_object_agg(
            named.name,
            case data.data_type
                when 2 then to_jsonb(data.number_value)
                when 3 then to_jsonb(data.string_value = 'true')
                else to_jsonb(coalesce(data.string_value, data.number_value::text, data.date_value::text))
            end) as properties
    from event_data data
    cross join lateral (
        select coalesce(to_jsonb(data) ->> 'data_key', to_jsonb(data) ->> 'event_key') as name
    ) named
    where data.website_event_id = happened.event_id and named.name is not null
) own on true
order by happened.created_at, happened.event_id
