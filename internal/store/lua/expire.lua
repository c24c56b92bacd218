-- expire.lua: removes contacts whose time is over, with their events.
-- KEYS  1 events  2 reloads  3 contacts  4 contact-expiry  5 contact-rev
-- ARGV  4 most: index members looked at in this call
-- Returns {members looked at, score of the next one ('' for none)}.
-- Invariant: a contact that was refreshed since is not removed; the index agrees
-- with the contacts.

local due = redis.call('ZRANGEBYSCORE', K.contact_expiry, '-inf', now, 'LIMIT', 0, ARGV[4])
local done = {}
for _, member in ipairs(due) do
  local user = string.sub(member, 1, string.find(member, NUL, 1, true) - 1)
  if not done[user] then
    done[user] = true
    drop_contacts(user, function(c) return c.expires <= now end, 'expired')
  end
end
for _, member in ipairs(due) do
  -- What is left of these members is stale: no contact is over any more.
  local score = redis.call('ZSCORE', K.contact_expiry, member)
  if score and tonumber(score) <= now then redis.call('ZREM', K.contact_expiry, member) end
end
local first = redis.call('ZRANGE', K.contact_expiry, 0, 0, 'WITHSCORES')
return {#due, first[2] or ''}
