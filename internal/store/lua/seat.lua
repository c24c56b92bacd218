-- seat.lua: what bind.lua and unbind.lua share, after lib.lua.
-- KEYS  see bind.lua
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
local function unseat(mac, line, reason, door, trace, by)
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
    trace = trace, door = door, reason = reason, by = given(by), desk = b.desk, companion = b.companion, rule = b.ends == reason and b.rule or nil})
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
  l[#l + 1] = {mac = mac, line = b.line, since = b.since, desk = b.desk}
  save_logins(b.number, l)
  emit({type = 'binding.created', mac = mac, line = b.line, number = b.number, session = b.session,
    trace = b.trace, door = b.door, detail = given(b.by), by = given(b.by), desk = b.desk, companion = b.companion, rule = b.rule, ['until'] = b['until']})
end

-- together gives the seats that are taken with one, itself first, and the code of
-- the desk that lists them; a seat that no desk lists is alone.
local function together(mac, line)
  local all = {{mac = mac, line = line}}
  local code = redis.call('HGET', K.desk_of, mac .. '/' .. line)
  if not code then return all, nil end
  local desk = load(K.desks, code)
  for _, s in ipairs(desk and desk.seats or {}) do
    if (s.mac ~= mac or s.line ~= line) and redis.call('HEXISTS', K.devices, s.mac) == 1 then
      all[#all + 1] = {mac = s.mac, line = s.line}
    end
  end
  return all, code
end

-- taken_with gives the seats that were taken with a binding, its own first.
local function taken_with(mac, b)
  local all = {{mac = mac, line = b.line}}
  if not b.desk then return all end
  for _, l in ipairs(logins_of(b.number)) do
    local o = l.desk == b.desk and at(seats_of(l.mac), l.line)
    if o and o.number == b.number and o.desk == b.desk and (l.mac ~= mac or l.line ~= b.line) then
      all[#all + 1] = {mac = l.mac, line = l.line}
    end
  end
  return all
end

local function derived(seed, n) return string.sub(redis.sha1hex(seed .. n), 1, 32) end

local function story_of(mac, b, trace, kind, door)
  return {id = trace, kind = kind, mac = mac, line = b.line, number = b.number, session = b.session,
    door = given(door), brand = brand_of(mac, load(K.devices, mac) or {}), started = now}
end

-- A guest, who is limited in time, owns no desk.
local function may_own(number)
  local e = load(K.extensions, number)
  return e and not e.valid_from and not e.valid_until
end

-- owner_back seats the owner of a desk that has just been left, if that is
-- somebody else than who left and is logged in nowhere, at each seat of the desk
-- that is empty. A desk's owner sits at its first line. back gets the binding of
-- each device, traces and more the devices that were not left themselves.
local function owner_back(d, device, door, traces, back, more)
  local owner = given(device.owner)
  if not owner or d.binding.line ~= 1 or d.binding.number == owner then return end
  if at(seats_of(d.mac), 1) or #logins_of(owner) > 0 or not may_own(owner) then return end
  local seats, code = together(d.mac, 1)
  for i, s in ipairs(seats) do
    if not at(seats_of(s.mac), s.line) then
      if not traces[s.mac] then
        traces[s.mac], more[#more + 1] = d.trace .. '-o' .. i, s.mac
      end
      local b = {session = i == 1 and d.session or derived(d.session, i), number = owner, line = s.line, door = door, since = now,
        trace = traces[s.mac], by = 'owner', desk = code, companion = i > 1 or nil}
      seat(s.mac, b)
      if not back[s.mac] or s.line == 1 then back[s.mac] = b end
    end
  end
end

-- after_leaving lets the owners of left desks return and then opens the reload of
-- each device concerned. left: {mac, binding, trace, session}, one per device,
-- session being for an owner. Gives the owner's binding at the first, or nil. A
-- device that is no longer in the directory has nothing to reload.
local function after_leaving(left, door, force)
  local traces, back, more = {}, {}, {}
  for _, d in ipairs(left) do traces[d.mac] = d.trace end
  for _, d in ipairs(left) do
    local device = load(K.devices, d.mac)
    if device then
      d.known = true
      owner_back(d, device, door, traces, back, more)
    else
      redis.call('HDEL', K.reloads, d.mac)
      redis.call('ZREM', K.reload_due, d.mac)
    end
  end
  for _, d in ipairs(left) do
    local b = back[d.mac]
    if d.known then new_story(story_of(d.mac, b or {line = d.binding.line}, d.trace, b and 'login' or 'logout', door), b and 'login' or 'logout', force) end
  end
  for _, m in ipairs(more) do new_story(story_of(m, back[m], traces[m], 'login', door), 'login', false) end
  return left[1] and back[left[1].mac]
end

local function ended_at(mac, b)
  return {seat = {device = {tenant = tenant, mac = mac}, line = b.line}, binding = b}
end

-- leave_all ends the binding of a seat and those that were taken with it (only
-- its own where alone is true), lets owners return and opens the reloads. Gives
-- the owner's binding at the first seat, or nil, and what was ended.
local function leave_all(mac, b, alone, reason, door, trace, session, force, by)
  local seats = alone and {{mac = mac, line = b.line}} or taken_with(mac, b)
  local ended, left, n = {}, {}, 0
  local known = {}
  for _, s in ipairs(seats) do
    local d = known[s.mac]
    if not d then
      d = {mac = s.mac, trace = s.mac == mac and trace or trace .. '-' .. n, session = n == 0 and session or derived(session, 'd' .. n)}
      known[s.mac], left[#left + 1], n = d, d, n + 1
    end
    local o = unseat(s.mac, s.line, reason, door, d.trace, by)
    if not d.binding or (o.line == 1 and s.mac ~= mac) then d.binding = o end
    ended[#ended + 1] = ended_at(s.mac, o)
  end
  return after_leaving(left, door, force), ended
end
