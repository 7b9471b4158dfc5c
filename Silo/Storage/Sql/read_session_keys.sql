select xml from session_keys
