delete from shares where name = @name
returning product, created
