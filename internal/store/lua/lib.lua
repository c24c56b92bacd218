-- lib.lua: what every script starts with. Before it stands K, the script's KEYS
-- by name (contact-expiry is K.contact_expiry).
-- ARGV  1 now (Unix ms)  2 node  3 tenant  then the script's own.
--
-- JSON rules, for cjson and the in-process engine alike: no empty table is ever
-- encoded (it would become {} in one and [] in the other), no null is ever
-- passed in, and one table stands once in a value.

local now, node, tenant = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local NUL = string.char(0)
local KEEP_ANSWER = 600000 -- ms for which a repeated request gets the first answer
local MAX_ENDING = 4       -- ended sessions that a device remembers
local MAX_EVENTS = 100000  -- per tenant, about

local function load(key, field)
  local v = redis.call('HGET', key, field)
  return v and cjson.decode(v) or nil
end

local function save(key, field, v)
  redis.call('HSET', key, field, cjson.encode(v))
end

-- filled gives a list, or nil for an empty one.
local function filled(list)
  if list and #list > 0 then return list end
  return nil
end

-- given gives a text, or nil for an empty one.
local function given(s)
  if s and s ~= '' then return s end
  return nil
end

-- emit writes one event, of now unless it says when.
local function emit(e)
  e.at, e.node, e.tenant = e.at or now, given(node), tenant
  redis.call('XADD', K.events, 'MAXLEN', '~', MAX_EVENTS, '*', 'e', cjson.encode(e))
end

-- emit_all writes the events that the caller made: a JSON list, or ''.
local function emit_all(list)
  if list == '' then return end
  for _, e in ipairs(cjson.decode(list)) do emit(e) end
end

-- changed_by tells that the directory has changed, and by whom (JSON).
local function changed_by(who)
  local e = cjson.decode(who)
  e.type = 'directory.changed'
  emit(e)
end

-- marked puts fields of the scripts' own in front of a JSON object that Go wrote
-- and that must not be encoded again; Go passes over them when it reads it.
local function marked(text, marks)
  return '{' .. marks .. string.sub(text, 2)
end

-- first_time tells whether this request id is new.
local function first_time()
  return redis.call('SET', K.request, '1', 'PX', KEEP_ANSWER, 'NX') and true or false
end

-- answered gives what the same request was answered before, if it was.
local function answered()
  return K.request and redis.call('GET', K.request) or nil
end

-- answer remembers and gives the answer.
local function answer(v)
  local text = cjson.encode(v)
  if K.request then redis.call('SET', K.request, text, 'PX', KEEP_ANSWER) end
  return text
end

-- Seats: who sits at a device.

local function seats_of(mac)
  local s = load(K.seats, mac) or {}
  return {bindings = s.bindings or {}, ending = s.ending or {}}
end

local function save_seats(mac, s)
  local v = {bindings = filled(s.bindings), ending = filled(s.ending)}
  if v.bindings or v.ending then save(K.seats, mac, v) else redis.call('HDEL', K.seats, mac) end
end

-- at gives the binding of a line, and where it stands.
local function at(s, line)
  for i, b in ipairs(s.bindings) do
    if b.line == line then return b, i end
  end
end

-- identity gives the binding whose credential the device's line shall use.
local function identity(mac, line)
  return at(seats_of(mac), line) or {}
end

local function is_over(b)
  return b['until'] ~= nil and b['until'] > 0 and b['until'] <= now
end

local function logins_of(number)
  return load(K.logins, number) or {}
end

local function save_logins(number, list)
  if #list > 0 then save(K.logins, number, list) else redis.call('HDEL', K.logins, number) end
end

-- Contacts.

-- line_of: a contact that names no line is on the first.
local function line_of(c)
  if c.line and c.line > 0 then return c.line end
  return 1
end

local function open_trace(mac)
  local i = mac and load(K.reloads, mac)
  return i and i.trace or nil
end

local function emit_contact(kind, user, c, reason)
  emit({type = kind, mac = given(c.mac), line = c.line, session = given(c.session),
    number = user ~= c.mac and user or nil, target = user, trace = open_trace(given(c.mac)), reason = reason})
end

-- save_contacts writes the contacts of a user as the JSON text of a non-empty
-- list, or removes them for ''. The revision comes from a counter, so that it
-- never comes back.
local function save_contacts(user, text)
  if text == '' then
    redis.call('HDEL', K.contacts, user)
  else
    redis.call('HSET', K.contacts, user, '{"rev":' .. redis.call('INCR', K.contact_rev) .. ',"contacts":' .. text .. '}')
  end
end

-- index_contacts makes the expiry index of a user agree with the contacts; old
-- are those that were there before.
local function index_contacts(user, old, new)
  local score = {}
  for _, c in ipairs(new) do
    if not score[c.uri] or c.expires < score[c.uri] then score[c.uri] = c.expires end
  end
  for _, c in ipairs(old) do
    if not score[c.uri] then redis.call('ZREM', K.contact_expiry, user .. NUL .. c.uri) end
  end
  for uri, expires in pairs(score) do
    redis.call('ZADD', K.contact_expiry, string.format('%.0f', expires), user .. NUL .. uri)
  end
end

-- drop_contacts removes the contacts of a user that match, with their events.
local function drop_contacts(user, matches, reason)
  local set = load(K.contacts, user)
  if not set then return 0 end
  local old, kept, gone = set.contacts or {}, {}, {}
  for _, c in ipairs(old) do
    if matches(c) then gone[#gone + 1] = c else kept[#kept + 1] = c end
  end
  if #gone == 0 then return 0 end
  save_contacts(user, #kept > 0 and cjson.encode(kept) or '')
  index_contacts(user, old, kept)
  for _, c in ipairs(gone) do emit_contact('contact.removed', user, c, reason) end
  return #gone
end

local function holds_contact(number, mac, session)
  local set = load(K.contacts, number)
  for _, c in ipairs(set and set.contacts or {}) do
    if c.mac == mac and c.session == session then return true end
  end
  return false
end

-- Subscriptions. A member of subs-of:<watcher> is "<session or ->|<id>".

-- drop_subscription removes one, with its event; of is its watcher's key.
local function drop_subscription(of, member, reason)
  local id = string.sub(member, string.find(member, '|', 1, true) + 1)
  local sub = load(K.subscriptions, id)
  redis.call('SREM', of, member)
  redis.call('ZREM', K.sub_expiry, id)
  if not sub then return false end
  redis.call('HDEL', K.subscriptions, id)
  emit({type = 'subscription.ended', mac = given(sub.mac), number = given(sub.number),
    session = given(sub.session), target = sub.target, reason = reason})
  return true
end

-- Reloads. An intent has three fields that only the scripts know: waiting (it is
-- due when the device's calls are over), call_over (they were over, at that
-- time, while a worker held the claim) and sent_at (when the last NOTIFY left).

-- busy_until gives the latest end of the device's live dialogs, or 0.
local function busy_until(mac)
  local last = 0
  for _, ends in pairs(load(K.dialogs, mac) or {}) do
    if ends > now and ends > last then last = ends end
  end
  return last
end

local function schedule(mac, due)
  redis.call('ZADD', K.reload_due, string.format('%.0f', due), mac)
end

-- open_intent writes the open reload of a device, due when its calls are over.
local function open_intent(i, due)
  local busy = i.force and 0 or busy_until(i.mac)
  if busy > due then due, i.waiting = busy, true end
  i.tenant, i.created = tenant, now
  save(K.reloads, i.mac, i)
  schedule(i.mac, due)
end

-- supersede tells that a running trace of the device gives way to another.
local function supersede(old, id)
  if not old or old.state ~= 'running' or old.id == id then return end
  emit({type = 'trace.superseded', mac = old.mac, line = old.line, trace = old.id, door = old.door, brand = old.brand})
end

-- new_story begins the trace of a device and opens its reload. t has id, kind,
-- mac, line, number, session, door, brand, started; both say who sits there now.
local function new_story(t, reason, force)
  supersede(load(K.traces, t.mac), t.id)
  t.rev, t.tenant, t.state = 1, tenant, 'running'
  t.steps = {
    {step = 'accepted', at = t.started, ms = 0},
    {step = 'bound', at = now, ms = now - t.started},
  }
  save(K.traces, t.mac, t)
  open_intent({trace = t.id, mac = t.mac, session = t.session, reason = reason, force = force or nil}, now)
  emit({type = 'reload.requested', mac = t.mac, line = t.line, number = t.number, session = t.session,
    trace = t.id, door = t.door, brand = t.brand, reason = reason})
end
