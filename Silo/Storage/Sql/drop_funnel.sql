-- What is folded for it goes in steps, because it may be much. Then this row goes.
update funnels set name = null where name = @name
returning id, cast(@name as text), steps, product, within_minutes, filled_to
