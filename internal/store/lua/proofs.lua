-- proofs.lua: replaces what a device proves itself with, if nobody else has.
-- KEYS  1 devices  2 proofs                               (both carry {tenant})
-- ARGV  4 MAC  5 proofs as they were read (JSON), or ''  6 proofs as they shall be (JSON)
-- Returns 1, or 0 when they were changed meanwhile or the device is gone.

local mac = ARGV[4]
if redis.call('HEXISTS', K.devices, mac) == 0 then return 0 end
if (redis.call('HGET', K.proofs, mac) or '') ~= ARGV[5] then return 0 end
redis.call('HSET', K.proofs, mac, ARGV[6])
return 1
