-- trace_save.lua: writes a folded trace over the one it was folded from.
-- KEYS  1 events  2 traces  3 reloads  4 reload-due
-- ARGV  4 MAC  5 id  6 revision as read  7 trace (JSON, next revision)  8 ready
--       (1 or 0)  9 events (JSON list or '')
-- Returns "ok" or "conflict".
-- Invariant: a trace that is ready has no open reload.

local mac, id, rev, text = ARGV[4], ARGV[5], tonumber(ARGV[6]), ARGV[7]
local stored = redis.call('HGET', K.traces, mac)
if stored == text then return 'ok' end -- this very call, sent again
local old = stored and cjson.decode(stored) or {id = id, rev = 0}
if old.id ~= id or old.rev ~= rev then return 'conflict' end
redis.call('HSET', K.traces, mac, text)
if ARGV[8] == '1' and open_trace(mac) == id then
  redis.call('HDEL', K.reloads, mac)
  redis.call('ZREM', K.reload_due, mac)
end
emit_all(ARGV[9])
return 'ok'
