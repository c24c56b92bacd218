-- directory_put.lua: writes a part of a tenant's directory.
-- KEYS  1 events  2 tenant  3 extensions  4 devices  5 todo  6 audit  7 audit-seen
--       8 audit-last  9 audit-late  10 people  11 person-of  12 person-seen
--                                                           (all carry {tenant})
-- ARGV  4 tenant (JSON) or ''  5 after the last part of an apply who did it (JSON), or ''
--       6 number of extensions, then number and JSON of each
--       then MAC and JSON of each device
-- Returns nothing. Running it again changes nothing more, but for the event.
-- Invariant: what the record and the indexes outside of this slot still differ
-- in stands in todo: "claim <key>" until the index is confirmed, "release <key>"
-- until it is gone, "list" until the tenant is among the tenants.

local function todo(verb, other, what)
  redis.call('SREM', K.todo, other .. ' ' .. what)
  redis.call('SADD', K.todo, verb .. ' ' .. what)
end

if ARGV[4] ~= '' then
  local old = redis.call('GET', K.tenant)
  for _, d in ipairs(old and cjson.decode(old).domains or {}) do todo('release', 'claim', 'domain:' .. d) end
  for _, d in ipairs(cjson.decode(ARGV[4]).domains or {}) do todo('claim', 'release', 'domain:' .. d) end
  redis.call('SET', K.tenant, ARGV[4])
  redis.call('SREM', K.todo, 'unlist')
  redis.call('SADD', K.todo, 'list')
  for _, k in ipairs({K.events, K.audit, K.audit_seen, K.audit_last, K.audit_late, K.people, K.person_of, K.person_seen}) do
    redis.call('PERSIST', k) -- a removed tenant's are about to go
  end
end

local first = 7
local last = 6 + 2 * tonumber(ARGV[6])
for i = first, last, 2 do redis.call('HSET', K.extensions, ARGV[i], ARGV[i + 1]) end
for i = last + 1, #ARGV, 2 do
  redis.call('HSET', K.devices, ARGV[i], ARGV[i + 1])
  todo('claim', 'release', 'mac:' .. ARGV[i])
end
if ARGV[5] ~= '' then changed_by(ARGV[5]) end
