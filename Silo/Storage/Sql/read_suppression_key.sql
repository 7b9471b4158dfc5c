select key from suppression_key
