-- A proof reads several streams side by side. A stream that waits for a longer one is idle, but its reader has not
-- stopped.
set local idle_in_transaction_session_timeout = 0
