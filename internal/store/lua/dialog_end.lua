-- dialog_end.lua: a call of the device is over. After the last one the reload
-- that waits for it is due.
-- KEYS  1 events  2 dialogs  3 reloads  4 reload-due  5 active
-- ARGV  4 MAC  5 call  6 settle (ms) between the end and the NOTIFY
-- Returns 1 if that was the last call, else 0.
-- Invariant: no reload goes on waiting for calls that are over.

local mac = ARGV[4]
local calls = load(K.dialogs, mac)
if not calls then return 0 end
redis.call('HSET', K.active, mac, string.format('%.0f', now))
local live, left = {}, false
for call, ends in pairs(calls) do
  if call ~= ARGV[5] and ends > now then live[call], left = ends, true end
end
if left then
  save(K.dialogs, mac, live)
  return 0
end
redis.call('HDEL', K.dialogs, mac)
emit({type = 'dialog.ended', mac = mac})
local i = load(K.reloads, mac)
if not i then return 1 end
local due = now + tonumber(ARGV[6])
if i.waiting then
  schedule(mac, due)
elseif i.claimed then
  i.call_over = due
  save(K.reloads, mac, i)
end
return 1
