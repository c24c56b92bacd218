-- phone_place.lua: by which of the two addresses a phone shall reach the server.
-- KEYS  1 devices  2 phones
-- ARGV  4 MAC  5 external, internal, or nothing
-- Returns 1 when that changed, else 0. Invariant: only a device of the directory
-- has a place.

local mac, place = ARGV[4], given(ARGV[5])
if redis.call('HEXISTS', K.devices, mac) == 0 then return 0 end
local p = load(K.phones, mac) or {}
if p.place == place then return 0 end
p.place = place
save(K.phones, mac, p)
return 1
