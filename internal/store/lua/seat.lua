-- seat.lua: what bind.lua and unbind.lua share, after lib.lua.
-- Invariant: a binding stands in seats, in seated and in its number's logins, or
-- in none of them; and a change of who sits at a device opens its reload. A new
-- binding is looked at once by the timers, which find out what it waits for.

local function brand_of(mac, device)
  local phone = load(K.phones, mac) or {}
  return given(device.brand) or given(phone.brand)
end

-- remember_ending adds an ended session to those a device may still speak with.
-- The oldest without a contact is forgotten first: one with a contact is how the
-- phone is reached.
local function remember_ending(mac, s, b)
  s.ending[#s.ending + 1] = {session = b.session, number = b.number, line = b.line, since = now}
  if #s.ending <= MAX_ENDING then return end
  local victim = 1
  for i, e in ipairs(s.ending) do
    if not holds_contact(e.number, mac, e.session) then victim = i break end
  end
  local e = table.remove(s.ending, victim)
  drop_contacts(e.number, function(c) return c.mac == mac and c.session == e.session end, 'superseded')
end

-- unseat ends the binding of a seat and gives it.
local function unseat(mac, line, reason, door, trace)
  local s = seats_of(mac)
  local b, i = at(s, line)
  table.remove(s.bindings, i)
  remember_ending(mac, s, b)
  save_seats(mac, s)
  redis.call('SREM', K.seated, mac .. '/' .. line)
  redis.call('ZREM', K.timers, mac .. '/' .. line)
  redis.call('HDEL', K.warned, mac .. '/' .. line)
  local rest = {}
  for _, l in ipairs(logins_of(b.number)) do
    if l.mac ~= mac or l.line ~= line then rest[#rest + 1] = l end
  end
  save_logins(b.number, rest)
  emit({type = 'binding.ended', mac = mac, line = line, number = b.number, session = b.session,
    trace = trace, door = door, reason = reason})
  return b
end

-- seat writes a binding at an empty seat.
local function seat(mac, b)
  local s = seats_of(mac)
  s.bindings[#s.bindings + 1] = b
  save_seats(mac, s)
  redis.call('SADD', K.seated, mac .. '/' .. b.line)
  redis.call('ZADD', K.timers, string.format('%.0f', now), mac .. '/' .. b.line)
  local l = logins_of(b.number)
  l[#l + 1] = {mac = mac, line = b.line, since = b.since}
  save_logins(b.number, l)
  emit({type = 'binding.created', mac = mac, line = b.line, number = b.number, session = b.session,
    trace = b.trace, door = b.door, detail = given(b.by)})
end

-- owner_back seats the owner of a desk that has just been left, if that is
-- somebody else than who left and is logged in nowhere. A desk's owner sits at
-- its first line. Gives the binding or nil.
local function owner_back(mac, device, left, session, door, trace)
  local owner = given(device.owner)
  if not owner or left.line ~= 1 or left.number == owner then return nil end
  if at(seats_of(mac), 1) or #logins_of(owner) > 0 then return nil end
  if redis.call('HEXISTS', K.extensions, owner) == 0 then return nil end
  local b = {session = session, number = owner, line = 1, door = door, since = now, trace = trace, by = 'owner'}
  seat(mac, b)
  return b
end

-- after_leaving lets the owner of a left desk return and opens the desk's reload.
-- Gives the owner's binding or nil. A device that is no longer in the directory
-- has nothing to reload.
local function after_leaving(mac, left, session, door, trace, force)
  local device = load(K.devices, mac)
  if not device then
    redis.call('HDEL', K.reloads, mac)
    redis.call('ZREM', K.reload_due, mac)
    return nil
  end
  local b = owner_back(mac, device, left, session, door, trace)
  local kind = b and 'login' or 'logout'
  local who = b or {}
  new_story({id = trace, kind = kind, mac = mac, line = left.line, number = who.number, session = who.session,
    door = given(door), brand = brand_of(mac, device), started = now}, kind, force)
  return b
end

local function ended_at(mac, b)
  return {seat = {device = {tenant = tenant, mac = mac}, line = b.line}, binding = b}
end
