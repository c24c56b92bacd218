-- dialog_start.lua: the device is in a call, or still in it.
-- KEYS  1 events  2 dialogs  3 active
-- ARGV  4 MAC  5 call  6 end of the lease (ms)
-- Returns 1 if the device was in no call before, else 0.
-- Invariant: a call without an end in the store is over when its lease is.

local MOST = 64 -- calls remembered per device; the others keep it busy anyway
local mac = ARGV[4]
local live, n = {}, 0
for call, ends in pairs(load(K.dialogs, mac) or {}) do
  if ends > now then live[call], n = ends, n + 1 end
end
if live[ARGV[5]] or n < MOST then live[ARGV[5]] = tonumber(ARGV[6]) end
save(K.dialogs, mac, live)
redis.call('HSET', K.active, mac, string.format('%.0f', now))
if n > 0 then return 0 end
emit({type = 'dialog.started', mac = mac})
return 1
