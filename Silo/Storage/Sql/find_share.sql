select name, product, created from shares where hash = @hash
