-- contact_update.lua: writes the decided contacts of one AOR user.
-- KEYS  1 events  2 seats  3 reloads  4 contacts  5 contact-expiry  6 contact-rev
--       7 subscriptions  8 sub-expiry  9 subs-of:<mac>      (all carry {tenant})
-- ARGV  4 user  5 revision as read  6 contacts (JSON list; '' for none)
--       7 change (JSON): mac, session, line, supersede, added, removed,
--       refreshed, restarted, lost, revived
-- Returns "ok", "conflict" (read and decide again) or "over" (the session ended).
-- Invariant: contacts and their expiry index agree; a session's contact is only
-- added while the session is bound; once a device has registered with one
-- credential, what it held under another on that line is gone.

local user, rev, text, change = ARGV[4], tonumber(ARGV[5]), ARGV[6], cjson.decode(ARGV[7])
local mac, session = given(change.mac), given(change.session)
local seats = mac and seats_of(mac) or {bindings = {}, ending = {}}

if session then
  local bound = false
  for _, b in ipairs(seats.bindings) do
    if b.session == session then bound, change.line = true, b.line end
  end
  if not bound then return 'over' end
end

local stored = redis.call('HGET', K.contacts, user)
local set = stored and cjson.decode(stored) or {rev = 0}
if set.rev ~= rev then
  -- A commit whose answer was lost, sent again, finds its own work.
  local tail = ',"contacts":' .. text .. '}'
  local done = (stored and string.sub(stored, -#tail) == tail) or (not stored and text == '')
  return done and 'ok' or 'conflict'
end

local new = text == '' and {} or cjson.decode(text)
save_contacts(user, text)
index_contacts(user, set.contacts or {}, new)
for _, c in ipairs(change.removed or {}) do emit_contact('contact.removed', user, c, c.gone or 'unregistered') end
for _, c in ipairs(change.added or {}) do emit_contact('contact.added', user, c) end
for _, c in ipairs(change.lost or {}) do emit_contact('contact.lost', user, c, 'flow-lost') end
for _, c in ipairs(change.revived or {}) do emit_contact('contact.revived', user, c) end
for _, c in ipairs(change.restarted or {}) do emit_contact('contact.restarted', user, c) end
if open_trace(mac) then
  for _, c in ipairs(change.refreshed or {}) do emit_contact('contact.refreshed', user, c) end
end
if not (change.supersede and mac) then return 'ok' end

-- Sessions of the same line that are not this one; those of other lines stay.
local others, line, numbers = {}, change.line, {}
local function sort_out(list)
  for _, s in ipairs(list) do
    if s.line ~= line then
      others[s.session] = true
    elseif s.session ~= session then
      numbers[s.number] = true
    end
  end
end
sort_out(seats.bindings)
sort_out(seats.ending)

local function foreign(c)
  return c.mac == mac and line_of(c) == line and given(c.session) ~= session
end
numbers[user] = nil -- decided by the caller already
for number in pairs(numbers) do drop_contacts(number, foreign, 'superseded') end
if session then drop_contacts(mac, foreign, 'superseded') end

-- The device account's subscriptions go with its first line.
if session and line ~= 1 then others['-'] = true end
for _, member in ipairs(redis.call('SMEMBERS', K.subs_of)) do
  local by = string.sub(member, 1, string.find(member, '|', 1, true) - 1)
  if by ~= (session or '-') and not others[by] then drop_subscription(K.subs_of, member, 'superseded') end
end

local kept = {}
for _, e in ipairs(seats.ending) do
  if e.line ~= line then kept[#kept + 1] = e end
end
if #kept < #seats.ending then
  seats.ending = kept
  save_seats(mac, seats)
end
return 'ok'
