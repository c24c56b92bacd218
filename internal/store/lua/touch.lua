-- touch.lua: somebody uses the device.
-- KEYS  1 active
-- ARGV  4 MAC
-- Returns nothing.
-- Invariant: the last touch of a device never goes back.

local last = redis.call('HGET', K.active, ARGV[4])
if not last or tonumber(last) < now then redis.call('HSET', K.active, ARGV[4], string.format('%.0f', now)) end
