-- Versions go on where a rule of this name ended.
insert into rules (name, version, definition, begun)
select @name, coalesce(max(version), 0) + 1, @definition, @now from rules where name = @name
returning id, name, version, definition, begun, disabled
