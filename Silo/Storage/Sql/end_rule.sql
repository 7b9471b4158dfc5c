update rules set ended = @now where name = @name and ended is null
