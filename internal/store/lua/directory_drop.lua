-- directory_drop.lua: removes extensions and devices, and at last their tenant.
-- KEYS  1 events  2 tenant  3 extensions  4 devices  5 phones  6 seats  7 seated
--       8 logins  9 contacts  10 contact-expiry  11 contact-rev  12 subscriptions
--       13 sub-expiry  14 traces  15 reloads  16 reload-due  17 dialogs  18 todo
--       19 timers  20 active  21 warned  22 calls  23 call-due  24 calls-past
--       25 calls-past-due  26 lamps  27 proofs  28 desks  29 desk-of
--       30 lockouts  31 guessed  32 audit  33 audit-seen  34 audit-last
--       35 audit-late  36 people  37 person-of  38 person-seen
--       then subs-of:<watcher> of each extension and device   (all carry {tenant})
-- ARGV  4 '1': the tenant too, if nothing is left in it, or ''
--       5 after the last part of an apply who did it (JSON), or ''
--       6 number of extensions, then their numbers, then the MACs of the devices
-- Returns 1, or 0 when the tenant still has extensions or devices.
-- Invariant: what is gone cannot be logged in any more, and the bindings that it
-- had stand in todo as "unseat <MAC> <line> <number>" until they are ended.

local KEEP_AUDIT = 400 * 86400 -- seconds for which the audit of a removed tenant is kept
local SUBS = DECLARED -- keys before those of the watchers

local function drop_subscriptions(of)
  for _, member in ipairs(redis.call('SMEMBERS', of)) do drop_subscription(of, member, 'removed') end
end

local function drop_extension(number, subs)
  if redis.call('HDEL', K.extensions, number) == 0 then return end
  redis.call('HDEL', K.lamps, number)
  for _, l in ipairs(logins_of(number)) do
    redis.call('SADD', K.todo, 'unseat ' .. l.mac .. ' ' .. l.line .. ' ' .. number)
  end
  drop_contacts(number, function(c) return not given(c.mac) end, 'removed')
  drop_subscriptions(subs)
end

local function drop_device(mac, subs)
  if redis.call('HDEL', K.devices, mac) == 0 then return end
  local function its(c) return c.mac == mac end
  redis.call('SREM', K.todo, 'claim mac:' .. mac)
  redis.call('SADD', K.todo, 'release mac:' .. mac)
  local s = seats_of(mac)
  for _, b in ipairs(s.bindings) do
    redis.call('SADD', K.todo, 'unseat ' .. mac .. ' ' .. b.line .. ' ' .. b.number)
    drop_contacts(b.number, its, 'removed')
  end
  for _, e in ipairs(s.ending) do drop_contacts(e.number, its, 'removed') end
  save_seats(mac, {bindings = s.bindings})
  drop_contacts(mac, function() return true end, 'removed')
  drop_subscriptions(subs)
  for _, k in ipairs({K.phones, K.traces, K.reloads, K.dialogs, K.active, K.proofs}) do redis.call('HDEL', k, mac) end
  redis.call('ZREM', K.reload_due, mac)
end

local numbers = tonumber(ARGV[6])
for i = 1, #ARGV - 6 do
  if i <= numbers then drop_extension(ARGV[6 + i], KEYS[SUBS + i]) else drop_device(ARGV[6 + i], KEYS[SUBS + i]) end
end

local done = 1
if ARGV[4] ~= '' then
  if redis.call('HLEN', K.extensions) + redis.call('HLEN', K.devices) + redis.call('SCARD', K.seated) > 0 then
    done = 0
  else
    local old = redis.call('GET', K.tenant)
    for _, d in ipairs(old and cjson.decode(old).domains or {}) do
      redis.call('SREM', K.todo, 'claim domain:' .. d)
      redis.call('SADD', K.todo, 'release domain:' .. d)
    end
    redis.call('SREM', K.todo, 'list')
    redis.call('SADD', K.todo, 'unlist')
    redis.call('DEL', K.tenant, K.phones, K.seats, K.logins, K.contacts, K.contact_expiry, K.subscriptions, K.sub_expiry,
      K.traces, K.reloads, K.reload_due, K.dialogs, K.contact_rev, K.timers, K.active, K.warned,
      K.calls, K.call_due, K.calls_past, K.calls_past_due, K.proofs, K.desks, K.desk_of,
      K.lockouts, K.guessed)
  end
end
if ARGV[5] ~= '' and done == 1 then changed_by(ARGV[5]) end
if ARGV[4] ~= '' and done == 1 then
  redis.call('EXPIRE', K.events, 86400)
  for _, k in ipairs({K.audit, K.audit_seen, K.audit_last, K.audit_late, K.people, K.person_of, K.person_seen}) do
    redis.call('EXPIRE', k, KEEP_AUDIT)
  end
end
return done
