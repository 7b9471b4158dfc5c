-- A stream that is read beside a longer one waits for it, which is no sign that its reader has stopped.
set local idle_in_transaction_session_timeout = 0
