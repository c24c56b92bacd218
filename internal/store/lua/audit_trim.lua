-- audit_trim.lua: forgets what is too old.
-- KEYS  1 audit  2 people  3 person-of  4 person-seen
-- ARGV  4 what is older goes (ms)  5 most people forgotten at once
-- Returns {records forgotten, people forgotten}.
-- Invariant: who is named in a record that is left is still known.

local n = redis.call('XTRIM', K.audit, 'MINID', ARGV[4] .. '-0')
local gone = redis.call('ZRANGEBYSCORE', K.person_seen, '-inf', '(' .. ARGV[4], 'LIMIT', 0, ARGV[5])
for _, person in ipairs(gone) do
  local number = redis.call('HGET', K.people, person)
  if number and redis.call('HGET', K.person_of, number) == person then redis.call('HDEL', K.person_of, number) end
  redis.call('HDEL', K.people, person)
  redis.call('ZREM', K.person_seen, person)
end
return {n, #gone}
