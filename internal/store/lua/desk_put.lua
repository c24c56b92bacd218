-- desk_put.lua: writes and removes desks of a tenant.
-- KEYS  1 events  2 desks  3 desk-of   (all carry {tenant})
-- ARGV  4 '1': the last part of an apply, or ''
--       5 number of desks to remove, then their codes
--       then code and JSON of each desk to write
-- Returns nothing. Running it again changes nothing more, but for the event.
-- Invariant: desk-of names a desk for exactly the seats that the desks list;
-- who sits where does not change.

local function clear(code)
  local old = load(K.desks, code)
  for _, s in ipairs(old and old.seats or {}) do
    local field = s.mac .. '/' .. string.format('%.0f', s.line)
    if redis.call('HGET', K.desk_of, field) == code then redis.call('HDEL', K.desk_of, field) end
  end
end

local first = 6
local last = 5 + tonumber(ARGV[5])
for i = first, last do
  clear(ARGV[i])
  redis.call('HDEL', K.desks, ARGV[i])
end
for i = last + 1, #ARGV, 2 do
  clear(ARGV[i])
  redis.call('HSET', K.desks, ARGV[i], ARGV[i + 1])
  for _, s in ipairs(cjson.decode(ARGV[i + 1]).seats or {}) do
    redis.call('HSET', K.desk_of, s.mac .. '/' .. string.format('%.0f', s.line), ARGV[i])
  end
end
if ARGV[4] ~= '' then emit({type = 'directory.changed'}) end
