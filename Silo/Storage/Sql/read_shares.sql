select name, product, created from shares order by name
