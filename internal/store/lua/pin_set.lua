-- pin_set.lua: writes an extension whose PIN somebody changed.
-- KEYS  1 events  2 extensions   (all carry {tenant})
-- ARGV  4 number  5 the record as it was read  6 the record as it shall be
--       7 event (JSON)
-- Returns "ok", "changed" (read and decide again) or "gone".
-- Invariant: nothing but what was decided on is overwritten, and the event exists
-- if and only if the change does; sent again, it is no second change.

local stored = redis.call('HGET', K.extensions, ARGV[4])
if not stored then return 'gone' end
if stored == ARGV[6] then return 'ok' end
if stored ~= ARGV[5] then return 'changed' end
redis.call('HSET', K.extensions, ARGV[4], ARGV[6])
emit(cjson.decode(ARGV[7]))
return 'ok'
