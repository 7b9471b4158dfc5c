delete from annotations where time = @time and product = @product
returning text
