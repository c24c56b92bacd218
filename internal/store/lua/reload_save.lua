-- reload_save.lua: writes how far a reload has come, and when it is due again.
-- KEYS  1 events  2 reloads  3 reload-due  4 dialogs  5 request:<id>
-- ARGV  4 MAC  5 intent (JSON, without a claim)  6 due (ms)  7 events (JSON list
--       or '')
-- Returns "ok" or "superseded".
-- Invariant: only the intent of the same trace is written over. One that waits
-- for a call which ended meanwhile is due soon after that end.

local mac, text, due = ARGV[4], ARGV[5], tonumber(ARGV[6])
local i, stored = cjson.decode(text), load(K.reloads, mac)
if not stored or stored.trace ~= i.trace then return 'superseded' end
if not first_time() then return 'ok' end
local was, is = stored.sent or 0, i.sent or 0
local marks = ''
if is > was then
  marks = '"sent_at":' .. string.format('%.0f', now) .. ','
elseif stored.sent_at then
  marks = '"sent_at":' .. string.format('%.0f', stored.sent_at) .. ','
end
if is == was and stored.call_over and stored.call_over < due then
  due = stored.call_over
elseif not i.force and due > now and due == busy_until(mac) then
  marks = marks .. '"waiting":true,'
end
redis.call('HSET', K.reloads, mac, marks == '' and text or marked(text, marks))
schedule(mac, due)
emit_all(ARGV[7])
return 'ok'
