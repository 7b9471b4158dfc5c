insert into funnels (name, steps, product, within_minutes, filled_to) values (@name, @steps, @product, @minutes, '')
