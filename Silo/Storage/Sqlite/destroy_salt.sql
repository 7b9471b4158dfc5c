pragma secure_delete = on;
delete from daily_salts
