select name from time_zone
