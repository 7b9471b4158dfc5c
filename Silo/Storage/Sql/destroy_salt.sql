delete from daily_salts
