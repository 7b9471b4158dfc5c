delete from firings where fingerprint = @fingerprint
