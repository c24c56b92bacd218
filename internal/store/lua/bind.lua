-- bind.lua: seats an extension at a device and ends what the rules say must end.
-- KEYS  1 events  2 devices  3 extensions  4 phones  5 seats  6 seated  7 logins
--       8 contacts  9 contact-expiry  10 contact-rev  11 traces  12 reloads
--       13 reload-due  14 dialogs  15 timers  16 warned  17 request:<id>
--                                                           (all carry {tenant})
-- ARGV  4 request (JSON): mac, binding, max, conflict, occupied, force, seed
-- Returns JSON: {"refused", "occupant", "since"} or {"outcome": hotdesk.Outcome}.
-- The same request id returns the first answer again.
-- Invariant: a seat has one binding at most, a number never more than max of them
-- through this script, and a refusal changes nothing.

local said = answered()
if said then return said end

local req = cjson.decode(ARGV[4])
local mac, new = req.mac, req.binding
local device = load(K.devices, mac)
if not device then return answer({refused = 'unknown_device'}) end
if redis.call('HEXISTS', K.extensions, new.number) == 0 then return answer({refused = 'bad_credentials'}) end

local story = {id = new.trace, kind = 'login', mac = mac, line = new.line, number = new.number, session = new.session,
  door = new.door, brand = brand_of(mac, device), started = new.since}

-- Who sits there?
local victims = {} -- {mac, line, reason}, in the order in which they end
local occupant = at(seats_of(mac), new.line)
if occupant and is_over(occupant) then
  victims[1] = {mac, new.line, 'expired'}
elseif occupant and occupant.number == new.number then
  -- The same person again: the device is made to take its configuration again.
  if holds_contact(new.number, mac, occupant.session) then story.kind = 'reload' end
  story.session = occupant.session
  new_story(story, 'login', req.force)
  return answer({outcome = {binding = occupant, trace = story.id, already = true}})
elseif occupant then
  if req.occupied ~= 'replace' and occupant.by ~= 'owner' then
    local why = req.occupied == 'ask' and 'ask' or 'desk_taken'
    return answer({refused = why, occupant = occupant.number, since = occupant.since})
  end
  victims[1] = {mac, new.line, 'replaced'}
end

-- Where else is the number? An owner's automatic return gives way first, then
-- the oldest login.
local elsewhere, live = {}, {}
for _, l in ipairs(logins_of(new.number)) do
  local b = at(seats_of(l.mac), l.line)
  if b and b.number == new.number and not (l.mac == mac and l.line == new.line) then
    elsewhere[#elsewhere + 1] = {mac = l.mac, line = l.line, since = b.since, auto = b.by == 'owner', over = is_over(b)}
  end
end
table.sort(elsewhere, function(a, b)
  if a.auto ~= b.auto then return a.auto end
  if a.since ~= b.since then return a.since < b.since end
  if a.mac ~= b.mac then return a.mac < b.mac end
  return a.line < b.line
end)
for _, l in ipairs(elsewhere) do
  if l.over then victims[#victims + 1] = {l.mac, l.line, 'expired'} else live[#live + 1] = l end
end
while #live >= req.max do
  local l = table.remove(live, 1)
  if not l.auto and req.conflict ~= 'move' then return answer({refused = 'elsewhere'}) end
  victims[#victims + 1] = {l.mac, l.line, 'move'}
end

-- From here on it happens.
local ended, left = {}, {} -- left: {mac, trace, binding}, one per other device
local known = {}
for _, v in ipairs(victims) do
  local trace = v[1] == mac and new.trace or known[v[1]]
  if not trace then
    trace = new.trace .. '-' .. (#left + 1)
    known[v[1]] = trace
    left[#left + 1] = {mac = v[1], trace = trace}
  end
  local b = unseat(v[1], v[2], v[3], new.door, trace)
  ended[#ended + 1] = ended_at(v[1], b)
  for _, d in ipairs(left) do
    if d.mac == v[1] and (not d.binding or b.line == 1) then d.binding = b end
  end
end
seat(mac, new)
new_story(story, 'login', req.force)
for i, d in ipairs(left) do
  local session = string.sub(redis.sha1hex(req.seed .. i), 1, 32)
  after_leaving(d.mac, d.binding, session, new.door, d.trace, false)
end
return answer({outcome = {binding = new, trace = new.trace, ended = filled(ended)}})
