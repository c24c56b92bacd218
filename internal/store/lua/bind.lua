-- bind.lua: seats an extension at a device, and at the other seats of its desk,
-- and ends what the rules say must end.
-- KEYS  1 events  2 devices  3 extensions  4 phones  5 seats  6 seated  7 logins
--       8 contacts  9 contact-expiry  10 contact-rev  11 traces  12 reloads
--       13 reload-due  14 dialogs  15 timers  16 warned  17 desks  18 desk-of
--       19 request:<id>                                     (all carry {tenant})
-- ARGV  4 request (JSON): mac, binding, max, conflict, occupied, force, seed
-- Returns JSON: {"refused", "occupant", "since"} or {"outcome": hotdesk.Outcome}.
-- The same request id returns the first answer again.
-- Invariant: a seat has one binding at most; a number never sits at more than max
-- desks through this script, the seats of one desk counting once; all seats of a
-- desk are taken or none; and a refusal changes nothing.

local said = answered()
if said then return said end

local req = cjson.decode(ARGV[4])
local mac, new = req.mac, req.binding
local device = load(K.devices, mac)
if not device then return answer({refused = 'unknown_device'}) end
if redis.call('HEXISTS', K.extensions, new.number) == 0 then return answer({refused = 'bad_credentials'}) end

local story = {id = new.trace, kind = 'login', mac = mac, line = new.line, number = new.number, session = new.session,
  door = new.door, brand = brand_of(mac, device), started = new.since}

-- The same person again: the device is made to take its configuration again.
local occupant = at(seats_of(mac), new.line)
if occupant and occupant.number == new.number and not is_over(occupant) then
  if holds_contact(new.number, mac, occupant.session) then story.kind = 'reload' end
  story.session = occupant.session
  new_story(story, 'login', req.force)
  return answer({outcome = {binding = occupant, trace = story.id, already = true}})
end

-- Who sits at the desk?
local victims, doomed = {}, {} -- victims: {mac, line, reason}, in the order in which they end
local function doom(m, line, reason)
  local name = m .. '/' .. line
  if doomed[name] then return end
  doomed[name] = true
  victims[#victims + 1] = {m, line, reason}
end
local seats, code = together(mac, new.line)
new.desk = code
for _, s in ipairs(seats) do
  local o = at(seats_of(s.mac), s.line)
  if o and is_over(o) then
    for _, t in ipairs(taken_with(s.mac, o)) do doom(t.mac, t.line, 'expired') end
  elseif o and o.number == new.number then
    for _, t in ipairs(taken_with(s.mac, o)) do doom(t.mac, t.line, 'move') end
  elseif o then
    if req.occupied ~= 'replace' and o.by ~= 'owner' then
      local why = req.occupied == 'ask' and 'ask' or 'desk_taken'
      return answer({refused = why, occupant = o.number, since = o.since})
    end
    for _, t in ipairs(taken_with(s.mac, o)) do doom(t.mac, t.line, 'replaced') end
  end
end

-- Where else is the number? The seats of one desk are one login. An owner's
-- automatic return gives way first, then the oldest login.
local live, by_desk = {}, {}
local elsewhere = {}
for _, l in ipairs(logins_of(new.number)) do
  local b = at(seats_of(l.mac), l.line)
  if b and b.number == new.number and not doomed[l.mac .. '/' .. l.line] then
    elsewhere[#elsewhere + 1] = {mac = l.mac, line = l.line, since = b.since, auto = b.by == 'owner', over = is_over(b), desk = b.desk}
  end
end
table.sort(elsewhere, function(a, b)
  if a.auto ~= b.auto then return a.auto end
  if a.since ~= b.since then return a.since < b.since end
  if a.mac ~= b.mac then return a.mac < b.mac end
  return a.line < b.line
end)
for _, l in ipairs(elsewhere) do
  if l.over then
    doom(l.mac, l.line, 'expired')
  elseif l.desk and by_desk[l.desk] then
    local g = by_desk[l.desk]
    g.seats[#g.seats + 1] = l
  else
    live[#live + 1] = {auto = l.auto, seats = {l}}
    if l.desk then by_desk[l.desk] = live[#live] end
  end
end
while #live >= req.max do
  local g = table.remove(live, 1)
  if not g.auto and req.conflict ~= 'move' then return answer({refused = 'elsewhere'}) end
  for _, l in ipairs(g.seats) do doom(l.mac, l.line, 'move') end
end

-- From here on it happens. Each device concerned has one trace: the login's own,
-- those of the desk's other devices, those of the devices that are left.
local traces, n = {[mac] = new.trace}, 0
local function trace_of(m)
  if not traces[m] then
    n = n + 1
    traces[m] = new.trace .. '-' .. n
  end
  return traces[m]
end
local here, companions = {[mac] = true}, {}
for i = 2, #seats do
  local s = seats[i]
  if not here[s.mac] then
    here[s.mac] = true
    companions[#companions + 1] = s.mac
    trace_of(s.mac)
  end
end
local ended, left, known = {}, {}, {} -- left: {mac, binding}, one per device that is left
for _, v in ipairs(victims) do
  local b = unseat(v[1], v[2], v[3], new.door, trace_of(v[1]), new.by)
  ended[#ended + 1] = ended_at(v[1], b)
  if not here[v[1]] then
    local d = known[v[1]]
    if not d then
      d = {mac = v[1]}
      known[v[1]], left[#left + 1] = d, d
    end
    if not d.binding or b.line == 1 then d.binding = b end
  end
end
seat(mac, new)
new_story(story, 'login', req.force)
local with, stories = {}, {}
for i = 2, #seats do
  local s = seats[i]
  local b = {session = derived(req.seed, 'c' .. i), number = new.number, line = s.line, door = new.door, since = new.since,
    ['until'] = new['until'], trace = trace_of(s.mac), by = new.by, ends = new.ends, rule = new.rule, desk = code, companion = true}
  seat(s.mac, b)
  with[#with + 1] = ended_at(s.mac, b)
  stories[s.mac] = stories[s.mac] or b
end
for _, m in ipairs(companions) do
  local t = story_of(m, stories[m], trace_of(m), 'login', new.door)
  t.started = new.since
  new_story(t, 'login', req.force)
end
for i, d in ipairs(left) do
  d.trace, d.session = trace_of(d.mac), derived(req.seed, i)
end
after_leaving(left, new.door, false)
return answer({outcome = {binding = new, trace = new.trace, ended = filled(ended), with = filled(with)}})
