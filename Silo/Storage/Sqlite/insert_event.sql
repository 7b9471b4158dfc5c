insert into events (fingerprint, sequence, id, action, product, created, occurred, properties)
values (@fingerprint, @sequence, @id, @action, @product, @created, @occurred, @properties)
on conflict do nothing
