-- Nothing is begun while another one runs. What a silo that died had begun ends here.
update verifications set ended = seen, reason = 'silo_died' where ended is null and seen < @lost;

delete from verifications
where ended is not null
    and id not in (select id from verifications order by id desc limit @kept)
    and id <> (select coalesce(max(id), 0) from verifications where differences = 0);

insert into verifications (silo, begun, seen) values (@silo, @begun, @begun)
on conflict do nothing
returning id
