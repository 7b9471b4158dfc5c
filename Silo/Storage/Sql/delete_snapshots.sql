delete from snapshots where grain_key = @key
