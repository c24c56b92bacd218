-- audit_append.lua: appends records to the audit, each event's once.
-- KEYS  1 audit  2 audit-seen  3 audit-last  4 audit-late  5 people  6 person-of
--       7 person-seen
-- ARGV  4 how long an event is remembered (ms)
--       then per record: event id, time (ms), number or '', a new person's id, the
--       record (JSON)
-- Returns the number of records appended.
-- Invariant: a record names a person and never a number; a number has one person
-- until that one is erased. Ids of records never go back, and none is smaller
-- than the time of its record; what it is greater by is never more than audit-late.

local function text(n) return string.format('%.0f', n) end

local last = redis.call('GET', K.audit_last) or '0-0'
local dash = string.find(last, '-', 1, true)
local ms, seq = tonumber(string.sub(last, 1, dash - 1)), tonumber(string.sub(last, dash + 1))
local late = tonumber(redis.call('GET', K.audit_late) or '0')
local n = 0

for i = 5, #ARGV, 5 do
  local id, at, number, record = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2], ARGV[i + 4]
  if redis.call('ZADD', K.audit_seen, 'NX', text(now), id) == 1 then
    local person = ''
    if number ~= '' then
      person = redis.call('HGET', K.person_of, number)
      if not person then
        person = ARGV[i + 3]
        redis.call('HSET', K.person_of, number, person)
        redis.call('HSET', K.people, person, number)
      end
    end
    if at > ms then ms, seq = at, 0 else seq = seq + 1 end
    if ms - at > late then late = ms - at end
    if person ~= '' then redis.call('ZADD', K.person_seen, text(ms), person) end
    redis.call('XADD', K.audit, text(ms) .. '-' .. text(seq), 'r', record, 'p', person)
    n = n + 1
  end
end
redis.call('ZREMRANGEBYSCORE', K.audit_seen, '-inf', text(now - tonumber(ARGV[4])))
redis.call('SET', K.audit_last, text(ms) .. '-' .. text(seq))
redis.call('SET', K.audit_late, text(late))
return n
