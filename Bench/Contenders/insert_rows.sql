insert into inserted (fingerprint, sequence, id, action, product, created, occurred)
select * from unnest($1::text[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[])
