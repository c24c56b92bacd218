-- reload_close.lua: ends an open reload.
-- KEYS  1 events  2 reloads  3 reload-due  4 request:<id>
-- ARGV  4 MAC  5 trace id  6 events (JSON list or '')
-- Returns "ok" or "superseded".
-- Invariant: only the intent of the same trace is removed.

local mac = ARGV[4]
if redis.call('GET', K.request) then return 'ok' end
if open_trace(mac) ~= ARGV[5] then return 'superseded' end
first_time()
redis.call('HDEL', K.reloads, mac)
redis.call('ZREM', K.reload_due, mac)
emit_all(ARGV[6])
return 'ok'
